/** What a controller is. The runner (`runner.ts`) does everything else; what it promises is written there. */
import type { KubeObject, Resource } from "@flotilla/objects";
import type { NamespacedName, Write } from "./api.ts";

/** What a controller works on: usually an object, sometimes one constant key for everything. */
export type Key = NamespacedName;

/**
 * The objects that a process knows, kept current by watches. Reads are synchronous and see one moment.
 * What it returns is shared: never change it.
 */
export interface Cache {
  get<T extends KubeObject>(resource: Resource<T>, key: NamespacedName): T | undefined;
  /** In order of namespace and name. */
  list<T extends KubeObject>(resource: Resource<T>, query?: Query<NoInfer<T>>): readonly T[];
  /** The resources that the controller's watches hold; with `watchAll`, all that the API serves at the moment. */
  resources(): readonly Resource[];
  /** The latest value of a declared source with its age in ms, or undefined when it has none yet. */
  source<V>(source: Source<V>, key: string): { readonly value: V; readonly age: number } | undefined;
}

/** All parts must hold. `index`: the objects that the index holds under `value`, or under any of several. */
export interface Query<T extends KubeObject = KubeObject> {
  readonly namespace?: string;
  readonly index?: { readonly by: Index; readonly value: string | readonly string[] };
  // A method, so that a Query<Pod> is a Query.
  where?(object: T): boolean;
}

/** Declared once as a constant and kept incrementally: for every object, the values under which it is found. */
export interface Index<T extends KubeObject = KubeObject> {
  readonly name: string;
  // A method, so that an Index<Pod> is an Index.
  values(object: T): readonly string[];
}

/** One reason to look at keys again. Made by `watch`, `watchOwned`, `watchMatching`, `watchMapped`, `watchAll`. */
export interface Watch {
  /** Undefined: all kinds that the API serves, also those that appear later. */
  readonly resource?: Resource;
  /** Narrows what is fetched and kept at all; for agents that must see only their own. */
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  readonly namespace?: string;
  readonly indexes?: readonly Index[];
  /** The keys that a change concerns. `before` is undefined for what is new, `after` for what is gone; `resource` is theirs. */
  keys(before: KubeObject | undefined, after: KubeObject | undefined, cache: Cache, resource: Resource): readonly Key[];
}

/** A fact from outside (metrics, a registry, container states): a value per key, pushed by its owner. */
export interface Source<V = unknown> {
  readonly name: string;
  /** Where values come from. Calls `set` whenever there is a new one (undefined: forget it); ends at `signal`. */
  start(set: (key: string, value: V | undefined) => void, signal: AbortSignal): void | Promise<void>;
  /** The controller keys that a new value concerns. */
  keys(key: string): readonly Key[];
}

/** A write that failed at the last look, with what it was. */
export interface Failure {
  readonly write: Write;
  readonly error: Error;
  /** How many looks in a row have failed. */
  readonly count: number;
}

/** An effect that failed at the last look. */
export interface FailedEffect {
  readonly effect: Effect;
  readonly error: Error;
  /** How many looks in a row have failed. */
  readonly count: number;
}

/** Writes of one group run by slow start: 1, then 2, 4, ... at once, as long as all succeed. */
export interface Together {
  readonly together: readonly Write[];
}

/** Something to be done to the world, by the interface of that name that compose.ts hands to the runner. */
export interface Effect<E = unknown> {
  readonly to: string;
  readonly do: E;
}

/** An Event to be recorded about an object; the runner counts and aggregates repeats. */
export interface EventNote {
  readonly about: KubeObject;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** The part of the object that it is about: `spec.containers{web}`. */
  readonly fieldPath?: string;
}

export interface Decision {
  /**
   * Run in order. The first failure skips the rest, except writes to a status: they say what was seen, which holds whatever
   * became of the others.
   */
  readonly writes?: readonly (Write | Together | undefined)[];
  /** Run after all writes have succeeded. A failing effect is retried like a failing write. */
  readonly effects?: readonly Effect[];
  /** Normal ones are recorded when all writes have succeeded, warnings in any case. */
  readonly events?: readonly EventNote[];
  /** Milliseconds. */
  readonly lookAgainIn?: number;
}

export interface Context {
  readonly now: Date;
  /** Writes that failed at the last look; conflicts are not among them. */
  readonly failures: readonly Failure[];
  readonly failedEffects?: readonly FailedEffect[];
}

export interface Controller<Observed = unknown> {
  readonly name: string;
  readonly watches: readonly Watch[];
  readonly sources?: readonly Source[];
  /** Everything the decision needs, from the cache alone; undefined: nothing to do. */
  observe(key: Key, cache: Cache): Observed | undefined;
  /** Pure. */
  decide(observed: Observed, context: Context): Decision;
}
