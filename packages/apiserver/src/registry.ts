/**
 * What the HTTP layer, the in-process API and the admission steps share: the verbs of the API on parsed objects. All rules
 * of the API (defaults, admission, validation, optimistic concurrency, managed fields, finalizers) hold behind it; only
 * encoding, authentication and authorization are left to whoever calls it.
 */
import type { ListOptions, NamespacedName, ObjectList, PatchType, Preconditions, WatchOptions } from "@flotilla/client";
import type { KubeObject, Resource } from "@flotilla/objects";

export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
}

/** Who asks, and how; the same for every verb. */
export interface RequestContext {
  readonly user: UserInfo;
  /** Recorded in managedFields. The HTTP layer takes it from `fieldManager`, else from the user agent up to the first "/". */
  readonly fieldManager: string;
  readonly dryRun: boolean;
  /** What happens to unknown and duplicate fields; Kubernetes' default is Warn. */
  readonly fieldValidation: "Strict" | "Warn" | "Ignore";
  /** Collects texts for the `Warning:` header. */
  warn(message: string): void;
}

export interface Target {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name: string;
  readonly subresource?: string;
}

export interface DeleteOptions {
  readonly preconditions?: Preconditions;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly gracePeriodSeconds?: number;
}

/** One change as the store announces it; `object` carries the resourceVersion of the change. */
export interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: KubeObject;
}

export interface ChangeStream {
  /** Stops it; nothing is delivered afterwards. */
  close(): void;
}

export interface WatchListener {
  next(change: Change): void;
  /** The stream has ended: without error by time-out or shutdown, with a StatusError (410 Expired) otherwise. */
  end(error?: Error): void;
}

export interface Registry {
  /** All served resources: those of the table, and those of established CustomResourceDefinitions. */
  resources(): readonly Resource[];
  resource(group: string, version: string, plural: string): Resource | undefined;
  /** Called after the served resources have changed. Returns how to stop. */
  onResourcesChange(run: () => void): () => void;

  /** Reads see all acknowledged writes and never wait. Results are shared and frozen by convention: never change them. */
  get(
    resource: Resource,
    key: NamespacedName,
    options?: { subresource?: string; resourceVersion?: string },
  ): KubeObject;
  list(resource: Resource, options?: ListOptions): ObjectList;
  watch(resource: Resource, options: WatchOptions, listener: WatchListener): ChangeStream;

  /** Each resolves after its change is durable. `created` tells 201 from 200. */
  create(
    target: Omit<Target, "name"> & { name?: string },
    object: KubeObject,
    context: RequestContext,
  ): Promise<KubeObject>;
  update(
    target: Target,
    object: KubeObject,
    context: RequestContext,
  ): Promise<{ object: KubeObject; created: boolean }>;
  patch(
    target: Target,
    patch: { type: PatchType; body: unknown; force?: boolean },
    context: RequestContext,
  ): Promise<{ object: KubeObject; created: boolean }>;
  /** `gone`: removed now; else it is terminating (finalizers, grace period). */
  delete(
    target: Target,
    options: DeleteOptions,
    context: RequestContext,
  ): Promise<{ object: KubeObject; gone: boolean }>;
  deleteCollection(
    resource: Resource,
    selection: ListOptions,
    options: DeleteOptions,
    context: RequestContext,
  ): Promise<ObjectList>;
}
