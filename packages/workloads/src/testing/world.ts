/**
 * A tiny API that is a value: it applies decisions to objects in memory, at once and in order, with the rules that controllers
 * rely on (uid, resourceVersion, generation, finalizers, the status apart). For tests of decisions, one or many in a row.
 */
import type { Cache, Controller, Decision, Failure, Key, Query, Write } from "@flotilla/client";
import {
  alreadyExists,
  conflict,
  deepEqual,
  fnv1a,
  type KubeObject,
  kindOf,
  notFound,
  type Pod,
  type Resource,
  resourceName,
  timeOf,
} from "@flotilla/objects";

const keyText = (resource: Resource, { namespace = "", name }: Key) => `${resourceName(resource)}/${namespace}/${name}`;
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
type Loose = KubeObject & { spec?: unknown; status?: unknown };

export class World implements Cache {
  now = new Date("2026-01-01T00:00:00Z");
  /** Pods without a node go at once; those with one wait for `endPods`, as a node would. */
  graceful = false;
  readonly events: string[] = [];
  readonly failures: Failure[] = [];
  readonly #objects = new Map<string, { resource: Resource; object: Loose }>();
  #version = 1;

  constructor(...objects: KubeObject[]) {
    for (const object of objects) this.add(object);
  }

  add<T extends KubeObject>(object: T): T {
    const resource = kindOf(object.apiVersion, object.kind);
    if (!resource) throw new Error(`no such kind: ${object.kind}`);
    return this.#put(resource, plain(object)) as T;
  }

  get<T extends KubeObject>(resource: Resource<T>, key: Key): T | undefined {
    return this.#objects.get(keyText(resource, key))?.object as T | undefined;
  }

  list<T extends KubeObject>(resource: Resource<T>, query: Query<NoInfer<T>> = {}): readonly T[] {
    const values = query.index && [query.index.value].flat();
    return [...this.#objects.entries()]
      .filter(([key]) => key.startsWith(`${resourceName(resource)}/`))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { object }]) => object as unknown as T)
      .filter((object) => query.namespace === undefined || object.metadata.namespace === query.namespace)
      .filter((object) => !values || query.index?.by.values(object).some((value) => values.includes(value)))
      .filter((object) => query.where?.(object) ?? true);
  }

  all(): readonly { resource: Resource; object: KubeObject }[] {
    return [...this.#objects.values()];
  }

  resources(): readonly Resource[] {
    return [...new Map(this.all().map(({ resource }) => [resourceName(resource), resource])).values()];
  }

  source(): undefined {
    return undefined;
  }

  /** Looks once at a key; how many writes changed something. */
  look<O>(controller: Controller<O>, key: Key): number {
    const observed = controller.observe(key, this);
    if (observed === undefined) return 0;
    const failures = this.failures.splice(0);
    return this.apply(controller.decide(observed, { now: this.now, failures }));
  }

  apply(decision: Decision): number {
    for (const { type, reason, message } of decision.events ?? []) this.events.push(`${type} ${reason} ${message}`);
    let changed = 0;
    for (const item of decision.writes ?? []) {
      for (const write of item === undefined ? [] : "together" in item ? item.together : [item]) {
        try {
          if (this.write(write)) changed++;
        } catch (error) {
          this.failures.push({ write, error: error as Error, count: 1 });
          return changed;
        }
      }
    }
    return changed;
  }

  /** Whether it changed anything. Throws what the API would answer. */
  write(write: Write): boolean {
    const { resource } = write;
    if (write.verb === "create") {
      if (write.subresource === "binding") return this.#bind(write.object);
      const { namespace, name } = write.object.metadata;
      const before = this.get(resource, { namespace, name });
      if (before && sameController(before, write.object)) return false;
      if (before) throw alreadyExists(resource, name);
      this.#put(resource, plain(write.object));
      return true;
    }
    const named = write.verb === "update" ? write.object.metadata : write;
    const before = this.get(resource, named) as Loose | undefined;
    if (!before) throw notFound(resource, named.name);
    if (write.verb === "delete") {
      this.#expect(resource, before, write.preconditions ?? {});
      return this.#delete(resource, before, write.propagationPolicy);
    }
    if (write.verb === "update") {
      this.#expect(resource, before, write.object.metadata);
      return this.#replace(resource, before, replaced(before, plain(write.object), write.subresource));
    }
    if (write.type !== "merge") throw new Error(`the world cannot ${write.type} patch`);
    const patch = plain(write.patch) as Loose;
    this.#expect(resource, before, patch.metadata ?? {});
    const after = replaced(before, merge(before, patch) as Loose, write.subresource);
    return this.#replace(resource, before, after);
  }

  /** Changes an object as somebody else would: a user, a node. */
  edit<T extends KubeObject>(resource: Resource<T>, key: Key, change: (object: T) => void): void {
    const before = this.get(resource, key) as Loose | undefined;
    if (!before) throw notFound(resource, key.name);
    const after = plain(before) as unknown as T;
    change(after);
    this.#replace(resource, before, after as Loose);
  }

  delete(resource: Resource, key: Key, policy?: "Background" | "Foreground" | "Orphan"): void {
    const before = this.get(resource, key) as Loose | undefined;
    if (before) this.#delete(resource, before, policy);
  }

  /** What nodes do at the end of a pod's grace period. */
  endPods(): void {
    for (const { resource, object } of this.all())
      if (object.kind === "Pod" && object.metadata.deletionTimestamp && !object.metadata.finalizers?.length)
        this.#objects.delete(keyText(resource, object.metadata));
  }

  pass(seconds: number): void {
    this.now = new Date(this.now.getTime() + seconds * 1000);
  }

  #put(resource: Resource, object: Loose): Loose {
    const { metadata } = object;
    metadata.uid ??= `uid-${fnv1a(`${resource.plural}/${metadata.namespace}/${metadata.name}/${this.#version}`).toString(16)}`;
    metadata.resourceVersion = String(this.#version++);
    metadata.generation ??= 1;
    metadata.creationTimestamp ??= timeOf(this.now);
    if (object.kind === "Pod") (object as Pod).status ??= { phase: "Pending" };
    this.#objects.set(keyText(resource, metadata), { resource, object });
    return object;
  }

  #replace(resource: Resource, before: Loose, after: Loose): boolean {
    if (deepEqual(plain(before), plain(after))) return false;
    if (!deepEqual(plain(before.spec ?? {}), plain(after.spec ?? {})))
      after.metadata.generation = (before.metadata.generation ?? 1) + 1;
    after.metadata.resourceVersion = String(this.#version++);
    this.#objects.set(keyText(resource, after.metadata), { resource, object: after });
    if (
      after.metadata.deletionTimestamp &&
      !after.metadata.finalizers?.length &&
      !(this.graceful && after.kind === "Pod")
    )
      this.#objects.delete(keyText(resource, after.metadata));
    return true;
  }

  #delete(resource: Resource, before: Loose, policy?: string): boolean {
    const { metadata } = before;
    const finalizer = policy === "Foreground" ? "foregroundDeletion" : policy === "Orphan" ? "orphan" : undefined;
    const finalizers = [...(metadata.finalizers ?? []), ...(finalizer ? [finalizer] : [])];
    const waits = this.graceful && before.kind === "Pod";
    if (finalizers.length === 0 && !waits) return this.#objects.delete(keyText(resource, metadata));
    if (metadata.deletionTimestamp) return false;
    const marked = { ...metadata, deletionTimestamp: timeOf(this.now), ...(finalizers.length > 0 && { finalizers }) };
    return this.#replace(resource, before, { ...before, metadata: marked });
  }

  #bind(binding: KubeObject & { target?: { name?: string } }): boolean {
    const pod = [...this.#objects.values()].find(
      ({ object }) =>
        object.kind === "Pod" &&
        object.metadata.name === binding.metadata.name &&
        object.metadata.namespace === binding.metadata.namespace,
    );
    if (!pod) return false;
    const object = pod.object as unknown as Pod;
    return this.#replace(pod.resource, pod.object, {
      ...pod.object,
      spec: { ...object.spec, nodeName: binding.target?.name },
    });
  }

  #expect(resource: Resource, before: KubeObject, wanted: { uid?: string; resourceVersion?: string }): void {
    const { uid, resourceVersion, name } = before.metadata;
    if (wanted.uid !== undefined && wanted.uid !== uid) throw conflict(resource, name, "uid differs");
    if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion)
      throw conflict(
        resource,
        name,
        "the object has been modified; please apply your changes to the latest version and try again",
      );
  }
}

const sameController = (a: KubeObject, b: KubeObject) => {
  const uid = (object: KubeObject) => object.metadata.ownerReferences?.find((owner) => owner.controller)?.uid;
  return uid(a) !== undefined && uid(a) === uid(b);
};

/** What an update means: the status subresource changes nothing but the status, everything else all but the status. */
const replaced = (before: Loose, after: Loose, subresource: string | undefined): Loose => {
  if (subresource === "status") return { ...before, status: after.status };
  if (subresource === "finalize") return { ...before, spec: after.spec };
  return "status" in before ? { ...after, status: before.status } : after;
};

function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const out: Record<string, unknown> =
    typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else out[key] = merge(out[key], value);
  }
  return out;
}
