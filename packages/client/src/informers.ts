/** The informers of a process: one for each resource and selection, whoever asks; and with `watchAll`, one for each kind served. */
import type { Cancel, Clock, Random } from "@flotilla/ambient";
import {
  APIServices,
  apiVersionOf,
  CustomResourceDefinitions,
  type KubeObject,
  type Resource,
  resourceName,
} from "@flotilla/objects";
import type { Api } from "./api.ts";
import type { Index, Watch } from "./controller.ts";
import { Informer } from "./informer.ts";
import type { Log } from "./log.ts";

/** Discovery is asked again this long after a change of what defines kinds, and from time to time. Milliseconds. */
const settling = 200;
const rediscovery = 30_000;

export interface InformersOptions {
  readonly api: Pick<Api, "list" | "watch">;
  readonly clock: Clock;
  readonly random: Random;
  /** What the API serves. Needed as soon as a watch has no resource. */
  readonly resources?: () => Promise<readonly Resource[]>;
  readonly log: Log;
}

export type ChangeListener = (
  informer: Informer,
  before: KubeObject | undefined,
  after: KubeObject | undefined,
) => void;

export class Informers {
  readonly #options: InformersOptions;
  readonly #onChange: ChangeListener;
  readonly #bySelection = new Map<string, Informer>();
  /** Those of `watchAll`, by resource name without version: one version of each is enough. */
  readonly #discovered = new Map<string, Informer>();
  /** The same, by the very resource, which saves putting its name together at every read. */
  #byResource = new Map<Resource, Informer>();
  /** What the watches that name a resource declare. */
  readonly #indexes = new Map<string, Set<Index>>();
  readonly #everywhere = new Set<Index>();
  readonly #watchesAll: boolean;
  #timer: Cancel | undefined;
  #stopped = false;
  /** Settles when the kinds that are served have been learned for the first time; at once without `watchAll`. */
  readonly discovered: Promise<void>;

  /** Starts an informer for every watch. */
  constructor(options: InformersOptions, watches: readonly Watch[], onChange: ChangeListener) {
    this.#options = options;
    this.#onChange = onChange;
    this.#watchesAll = watches.some((watch) => !watch.resource);
    for (const watch of watches) this.#declare(watch);
    for (const watch of watches) if (watch.resource) this.#start(watch.resource, watch);
    this.discovered = this.#watchesAll ? this.#discover() : Promise.resolve();
  }

  /** The informer that a watch with a resource reads from. */
  of(watch: Watch & { resource: Resource }): Informer {
    return this.#bySelection.get(selectionId(watch.resource, watch)) as Informer;
  }

  /** The informers of `watchAll`. */
  all(): Iterable<Informer> {
    return this.#discovered.values();
  }

  /** That of `watchAll` for the resource, in whichever version. */
  discoveredFor(resource: Resource): Informer | undefined {
    return this.#byResource.get(resource) ?? this.#discovered.get(resourceName(resource));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.();
    const informers = new Set([...this.#bySelection.values(), ...this.#discovered.values()]);
    await Promise.all([...informers].map((informer) => informer.stop()));
  }

  #declare(watch: Watch): void {
    const indexes = watch.resource ? this.#indexesOf(selectionId(watch.resource, watch)) : this.#everywhere;
    for (const index of watch.indexes ?? []) indexes.add(index);
  }

  #indexesOf(id: string): Set<Index> {
    const indexes = this.#indexes.get(id) ?? new Set();
    this.#indexes.set(id, indexes);
    return indexes;
  }

  #start(resource: Resource, selection: Pick<Watch, "namespace" | "labelSelector" | "fieldSelector">): Informer {
    const { api, clock, random, log } = this.#options;
    const id = selectionId(resource, selection);
    const existing = this.#bySelection.get(id);
    if (existing) return existing;
    const { namespace, labelSelector, fieldSelector } = selection;
    const informer: Informer = new Informer({
      api,
      clock,
      random,
      log,
      resource,
      selection: { namespace, labelSelector, fieldSelector },
      indexes: [...(this.#indexes.get(id) ?? []), ...this.#everywhere],
      onChange: (before, after) => {
        if (this.#watchesAll && definesKinds(resource)) this.#discoverIn(settling);
        this.#onChange(informer, before, after);
      },
    });
    this.#bySelection.set(id, informer);
    return informer;
  }

  #discoverIn(delay: number): void {
    if (this.#stopped) return;
    this.#timer?.();
    this.#timer = this.#options.clock.after(delay, () => void this.#discover(), { background: true });
  }

  async #discover(): Promise<void> {
    const { resources, log } = this.#options;
    if (!resources) throw new Error("a controller watches all kinds, but the runner was not told how to learn them");
    try {
      const served = await resources();
      if (!this.#stopped) this.#follow(served.filter(isWatchable));
    } catch (error) {
      log({ level: "warn", message: "cannot learn which kinds the API serves; trying again", error });
    }
    this.#discoverIn(rediscovery);
  }

  #follow(served: readonly Resource[]): void {
    const names = new Set(served.map(resourceName));
    for (const [name, informer] of this.#discovered) {
      if (names.has(name)) continue;
      this.#discovered.delete(name);
      if (this.#bySelection.get(selectionId(informer.resource, {})) === informer) void this.#forget(informer);
    }
    for (const resource of served) {
      const name = resourceName(resource);
      const known = this.#discovered.get(name);
      if (known) known.retry();
      else this.#discovered.set(name, this.#start(resource, {}));
    }
    this.#byResource = new Map([...this.#discovered.values()].map((informer) => [informer.resource, informer]));
  }

  /** Unless a watch names the resource: then it waits for the kind to come back. */
  async #forget(informer: Informer): Promise<void> {
    const id = selectionId(informer.resource, {});
    if (this.#indexes.has(id)) return;
    this.#bySelection.delete(id);
    const left = informer.store.list();
    await informer.stop();
    for (const object of left) {
      informer.store.delete(object.metadata);
      this.#onChange(informer, object, undefined);
    }
  }
}

const definesKinds = (resource: Resource): boolean =>
  resource.kind === CustomResourceDefinitions.kind || resource.kind === APIServices.kind;

const isWatchable = ({ verbs }: Resource): boolean => !verbs || (verbs.includes("list") && verbs.includes("watch"));

const selectionId = (
  resource: Resource,
  { namespace, labelSelector, fieldSelector }: Pick<Watch, "namespace" | "labelSelector" | "fieldSelector">,
): string => JSON.stringify([apiVersionOf(resource), resource.plural, namespace, labelSelector, fieldSelector]);
