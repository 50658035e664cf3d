/**
 * Watches what the API serves and marks every change that matters, and every Event, on the time axis. What matters is decided by
 * `content.ts`, what is said by `mark.ts`; `seen.ts` knows what was said before.
 */
import type { Clock, Random } from "@flotilla/ambient";
import {
  type Api,
  type Cache,
  type Controller,
  type Key,
  type Log,
  runControllers,
  type Source,
} from "@flotilla/client";
import { type Event, Events, isNotFound, type KubeObject, type Resource, resourceName } from "@flotilla/objects";
import { encodeLogs } from "../otlp/codec.ts";
import type { Sink } from "../sink.ts";
import { contentOf, isMarked, isMarkedKind, isSystemNamespace } from "./content.ts";
import { changeMark, eventMark, type Mark, marksRequest, sayingOf, subjectOf } from "./mark.ts";
import { Seen } from "./seen.ts";

export interface MarksOptions {
  readonly api: Api;
  /** What the API serves, by discovery. */
  readonly resources: () => Promise<readonly Resource[]>;
  readonly clock: Clock;
  readonly random: Random;
  readonly sink: Pick<Sink, "logs">;
  /** Where it is kept what was seen, for the next run. */
  readonly file: string;
  readonly log?: Log;
}

export interface Marks {
  /** Resolves when all that exists has been listed once. */
  readonly started: Promise<void>;
  /** Nothing is marked after it has resolved. */
  stop(): Promise<void>;
}

/** Throws nothing and waits for nobody: while the API is away there is nothing to mark. */
export function startMarks(options: MarksOptions): Marks {
  const { api, resources, clock, random, file, log = () => undefined } = options;
  const onTrouble = (message: string, error: unknown) => log({ level: "warn", message, error });
  const seen = new Seen({ file, clock, random, onTrouble });
  const marker = new Marker(options, seen);
  const running = runControllers({
    api,
    clock,
    random,
    log,
    resources: async () => (await resources()).filter(isMarkedKind),
    controllers: [marksController(seen)],
    effects: { marks: (look) => marker.take(look as Look) },
  });
  return {
    started: running.started,
    async stop() {
      await running.stop();
      await seen.save();
    },
  };
}

interface Look {
  readonly id: string;
  /** Undefined: the kind is not served at the moment. */
  readonly resource: Resource | undefined;
  readonly key: Key;
  /** As it is now; undefined: the cache has none. */
  readonly object: KubeObject | undefined;
  /** Of what an Event is about. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Objects of all kinds are keys of one controller: `deployments.apps web`. A name has no space. */
const keyOf = ({ metadata: { namespace, name } }: KubeObject, resource: Resource): Key => ({
  namespace,
  name: `${resourceName(resource)} ${name}`,
});

const idOf = ({ namespace, name }: Key): string => `${namespace ?? ""}/${name}`;

const keyOfId = (id: string): Key => {
  const slash = id.indexOf("/");
  return { namespace: id.slice(0, slash), name: id.slice(slash + 1) };
};

function marksController(seen: Seen): Controller<Look> {
  // What is gone since the last run is in no cache: it wakes the controller by having been seen.
  const remembered: Source<true> = {
    name: "seen",
    start(set) {
      for (const id of seen.ids()) set(id, true);
    },
    keys: (id) => [keyOfId(id)],
  };
  return {
    name: "marks",
    watches: [
      {
        keys: (before, after, _, resource) => {
          const object = (after ?? before) as KubeObject;
          return isMarked(object) ? [keyOf(object, resource)] : [];
        },
      },
      {
        resource: Events,
        keys: (before, after) => {
          const object = (after ?? before) as KubeObject;
          return isSystemNamespace(object.metadata.namespace) ? [] : [keyOf(object, Events)];
        },
      },
    ],
    sources: [remembered],
    observe(key, cache) {
      const [kind = "", name = ""] = key.name.split(" ");
      const resource = kind === Events.plural ? Events : served(cache, (each) => resourceName(each) === kind);
      const object = resource && cache.get(resource, { namespace: key.namespace, name });
      const labels = object && resource === Events ? labelsOf((object as Event).involvedObject, cache) : {};
      return { id: idOf(key), resource, key: { namespace: key.namespace, name }, object, labels };
    },
    decide: (look) => ({ effects: [{ to: "marks", do: look }] }),
  };
}

const served = (cache: Cache, is: (resource: Resource) => boolean): Resource | undefined => cache.resources().find(is);

function labelsOf({ kind, apiVersion = "", namespace, name = "" }: Event["involvedObject"], cache: Cache) {
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  const resource = served(cache, (each) => each.kind === kind && each.group === group);
  return (resource && cache.get(resource, { namespace, name })?.metadata.labels) ?? {};
}

class Marker {
  readonly #options: MarksOptions;
  readonly #seen: Seen;

  constructor(options: MarksOptions, seen: Seen) {
    this.#options = options;
    this.#seen = seen;
  }

  /** Fails when the sink can take nothing at the moment; the look is repeated then. */
  async take(look: Look): Promise<void> {
    const { id, resource, object } = look;
    const before = this.#seen.get(id);
    if (!object && !before) return;
    // A kind that is not served, or could not be listed yet, says nothing of its objects.
    if (!object && (!resource || (await this.#exists(resource, look.key)))) return;
    if (resource === Events) this.#takeEvent(look);
    else this.#takeChange(look);
  }

  async #exists(resource: Resource, key: Key): Promise<boolean> {
    try {
      await this.#options.api.get(resource, key);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  #takeChange({ id, object }: Look): void {
    const now = this.#options.clock.now();
    const before = this.#seen.get(id);
    const after = object && { about: subjectOf(object), content: contentOf(object, this.#seen.key) };
    const marks: (Mark | undefined)[] = [];
    if (before && (!after || before.about.uid !== after.about.uid))
      marks.push(changeMark(before.about, { before: before.content, now }));
    if (after) {
      const known = before && before.about.uid === after.about.uid ? before.content : undefined;
      marks.push(changeMark(after.about, { before: known, after: after.content, object, now }));
    }
    const told = marks.filter((mark) => mark !== undefined);
    if (told.length === 0) return;
    this.#tell(told);
    this.#seen.set(id, after);
  }

  /** Events go by themselves after a while; that is nothing to tell. */
  #takeEvent({ id, object, labels }: Look): void {
    if (!object) {
      this.#seen.set(id, undefined);
      return;
    }
    const event = object as Event;
    const content = sayingOf(event);
    const before = this.#seen.get(id);
    if (before?.content === content && before.about.uid === event.metadata.uid) return;
    this.#tell([eventMark(event, labels, this.#options.clock.now())]);
    this.#seen.set(id, { about: { ...subjectOf(event), labels: {} }, content });
  }

  #tell(marks: readonly Mark[]): void {
    this.#options.sink.logs(encodeLogs(marksRequest(marks)));
  }
}
