/**
 * Keeps an App and the images of its services in step with a folder: reads the model, applies it, builds every source, writes
 * which image each service runs, and does so again for what is edited. Says what it does in the App's status, where everybody can see it.
 */
import { isAbsolute, relative, sep } from "node:path";
import type { Cancel, Clock } from "@flotilla/ambient";
import { type Api, applyObject } from "@flotilla/client";
import { type App, type AppBuild, Apps, type AppVersion, apiVersionOf } from "@flotilla/objects";
import { annotations } from "./annotations.ts";
import { follow } from "./follow.ts";
import { ensureNamespace, notFoundAs, whenReachable } from "./reachable.ts";

/** A model that has been read and has no mistakes. */
export interface Sources {
  /** Without versions. */
  readonly object: App;
  /** Source folders by service, absolute. */
  readonly services: ReadonlyMap<string, BuildInput>;
}

export interface BuildInput {
  readonly source: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
}

/** How an attempt to make an image ended. "left out": this machine lacks what the service needs. */
export type BuildResult = { readonly image: string } | { readonly failed: string } | { readonly leftOut: string };

export interface Development {
  readonly api: Api;
  readonly clock: Clock;
  /** Throws an error whose message lists all mistakes. */
  read(): Promise<Sources>;
  build(service: string, input: BuildInput, app: string): Promise<BuildResult>;
  /** Calls `changed` with absolute paths; returns how to stop. */
  watch(changed: (path: string) => void): () => Promise<void>;
  log(text: string): void;
}

/** What is wrong with the model itself is told as of a part of this name, which no service can have. */
const modelPart = "(model)";

/** Milliseconds for which edits are gathered: an editor writes several files at once. */
const settling = 40;

/** Milliseconds after which a round that failed is tried again. */
const retryAfter = 1000;

const isInside = (folder: string, path: string) => {
  const rest = relative(folder, path);
  return rest === "" || (!rest.startsWith(`..${sep}`) && rest !== ".." && !isAbsolute(rest));
};

export class Developer {
  readonly #work: Development;
  readonly #ended = new AbortController();
  readonly #versions = new Map<string, AppVersion>();
  readonly #builds = new Map<string, AppBuild>();
  #sources: Sources | undefined;
  #edited = new Set<string>();
  /** The request that is to be answered next, and the last one that was. */
  #sync: string | undefined;
  /** What was last written, as text: each write wakes the App's controller, and most rounds change little. */
  #applied: string | undefined;
  #reported: string | undefined;
  #synced: string | undefined;
  #pending: Cancel | undefined;
  #running: Promise<void> = Promise.resolve();
  #unwatch: (() => Promise<void>) | undefined;
  #requests: Promise<void> | undefined;

  constructor(work: Development) {
    this.#work = work;
  }

  /** Carries out one whole round, answers `sync`, then follows edits and further requests until `stop`. */
  start(sync: string): void {
    this.#sync = sync;
    this.#unwatch = this.#work.watch((path) => {
      this.#edited.add(path);
      this.#soon();
    });
    this.#soon();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    this.#pending?.();
    await this.#unwatch?.();
    await this.#running.catch(() => {});
    await this.#requests?.catch(() => {});
  }

  #soon(): void {
    this.#pending?.();
    this.#pending = this.#work.clock.after(this.#sources ? settling : 0, () => {
      this.#running = this.#running
        .then(() => this.#round())
        .catch((error) => {
          if (this.#ended.signal.aborted) return;
          this.#work.log(`${error instanceof Error ? error.message : error}`);
          this.#again();
        });
    });
  }

  /** What could not be written (the API is restarting, the disk is full) is tried anew: no edit is lost. */
  #again(): void {
    this.#applied = this.#reported = undefined;
    this.#pending?.();
    this.#pending = this.#work.clock.after(retryAfter, () => this.#soon());
  }

  async #round(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    const edited = this.#edited;
    this.#edited = new Set();
    try {
      await this.#roundOf(edited);
    } catch (error) {
      for (const path of edited) this.#edited.add(path);
      throw error;
    }
  }

  async #roundOf(edited: ReadonlySet<string>): Promise<void> {
    const sync = this.#sync;
    const sources = await this.#read();
    if (!sources) return;
    // Whoever asks for a round wants the App to be as the folder says, whatever has become of it since.
    if (sync !== undefined) this.#applied = this.#reported = undefined;
    const before = this.#sources;
    if (!before) await this.#remember(sources.object);
    this.#sources = sources;

    const services = [...sources.services].filter(([name, { source }]) => {
      const known = this.#builds.get(name)?.state === "built" && before?.services.get(name)?.source === source;
      const touched = [...edited].some((path) => isInside(source, path));
      return !known || touched || sync !== undefined;
    });
    for (const name of [...this.#versions.keys()]) if (!sources.services.has(name)) this.#versions.delete(name);
    for (const name of [...this.#builds.keys()]) if (!sources.services.has(name)) this.#builds.delete(name);
    for (const [name] of services) this.#builds.set(name, { state: "building" });
    await this.#apply(sources);
    await this.#report(sources.object);
    // Two at once: builds wait for npm and the disk as much as for the processor.
    const queue = [...services];
    const worker = async () => {
      for (let next = queue.shift(); next && !this.#ended.signal.aborted; next = queue.shift()) {
        const [name, input] = next;
        await this.#build(name, input, sources.object.metadata.name);
        await this.#apply(sources);
        await this.#report(sources.object);
      }
    };
    await Promise.all([worker(), worker()]);
    if (sync !== undefined && !this.#ended.signal.aborted) {
      if (this.#sync === sync) this.#sync = undefined;
      this.#synced = sync;
      await this.#apply(sources);
    }
    this.#requests ??= this.#followRequests(sources.object);
  }

  async #read(): Promise<Sources | undefined> {
    try {
      return await this.#work.read();
    } catch (error) {
      // What runs goes on as it is; the next edit is another chance.
      this.#work.log((error as Error).message);
      const known = this.#sources;
      if (known) {
        this.#builds.set(modelPart, { state: "failed", message: (error as Error).message });
        await this.#report(known.object);
      }
      return undefined;
    }
  }

  /** Images of the last run are still there: pods start from them at once, while the sources are looked at. */
  async #remember(app: App): Promise<void> {
    const { api, clock } = this.#work;
    const { namespace, name } = app.metadata;
    const known = await whenReachable(clock, this.#ended.signal, async () => {
      if (namespace) await ensureNamespace(api, namespace);
      return api.get(Apps, { namespace, name }).catch(notFoundAs(undefined));
    });
    for (const [service, version] of Object.entries(known?.spec.versions ?? {})) this.#versions.set(service, version);
  }

  async #build(name: string, input: BuildInput, app: string): Promise<void> {
    const result = await this.#work
      .build(name, input, app)
      .catch((error): BuildResult => ({ failed: (error as Error).message }));
    if ("image" in result) {
      this.#versions.set(name, { image: result.image });
      this.#builds.set(name, { state: "built" });
    } else if ("leftOut" in result) {
      this.#versions.delete(name);
      this.#builds.set(name, { state: "left out", message: result.leftOut });
    } else {
      this.#builds.set(name, { state: "failed", message: result.failed });
      this.#work.log(`${name}: ${result.failed}`);
    }
  }

  /** One manager for the model and the versions: both are the folder's. */
  async #apply({ object }: Sources): Promise<void> {
    const app: App = {
      ...object,
      spec: { ...object.spec, versions: Object.fromEntries(this.#versions) },
      metadata: {
        ...object.metadata,
        annotations: { ...object.metadata.annotations, ...(this.#synced && { [annotations.synced]: this.#synced }) },
      },
    };
    const text = JSON.stringify(app);
    if (text === this.#applied) return;
    await this.#work.api.write(applyObject(Apps, app, "flotilla-up"));
    this.#applied = text;
  }

  async #report({ metadata: { namespace, name } }: App): Promise<void> {
    const builds = Object.fromEntries(this.#builds);
    const text = JSON.stringify(builds);
    if (text === this.#reported) return;
    await this.#work.api.write({
      verb: "patch",
      type: "apply",
      resource: Apps,
      subresource: "status",
      namespace,
      name,
      fieldManager: "flotilla-build",
      force: true,
      patch: {
        apiVersion: apiVersionOf(Apps),
        kind: Apps.kind,
        metadata: { namespace, name },
        status: { builds },
      },
    });
    this.#reported = text;
  }

  async #followRequests({ metadata: { namespace, name } }: App): Promise<void> {
    let last: string | undefined;
    for await (const app of follow(this.#work.api, Apps, { namespace, name }, this.#ended.signal)) {
      const requested = app.metadata.annotations?.[annotations.syncRequested];
      if (requested && requested !== last && requested !== app.metadata.annotations?.[annotations.synced]) {
        this.#sync = requested;
        this.#soon();
      }
      last = requested;
    }
  }
}
