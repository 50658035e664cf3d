/**
 * What everybody asks of an API: somebody's over HTTP (`http-api.ts`), the embedded one in the same process (package
 * apiserver), or the simulated one. `api.cases.ts` holds for each of them.
 *
 * Every method rejects with a `StatusError` when the API refuses, with the API's own code, reason and message.
 */
import type { KubeObject, Resource } from "@flotilla/objects";

export interface NamespacedName {
  /** Undefined for cluster-wide resources. */
  readonly namespace?: string;
  readonly name: string;
}

export interface Selection {
  /** Undefined: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ListOptions extends Selection {
  readonly limit?: number;
  readonly continue?: string;
  /** "0": any version will do; a number: not older than that (or exactly, with `resourceVersionMatch`). */
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: "Exact" | "NotOlderThan";
}

export interface WatchOptions extends Selection {
  /** Changes after this version. Undefined or "0": synthetic ADDED events for what exists, then changes. */
  readonly resourceVersion?: string;
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
  readonly signal?: AbortSignal;
}

export interface ObjectList<T extends KubeObject = KubeObject> {
  apiVersion: string;
  kind: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

/** An ERROR event carries a Status; watch() turns it into a rejection of the iteration, so consumers never see one. */
export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  | { readonly type: "BOOKMARK"; readonly object: KubeObject };

export type PatchType = "json" | "merge" | "strategic" | "apply";

export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

interface WriteOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
}

/** One change of one object. Decisions of controllers and requests of clients are made of the same thing. */
export type Write<T extends KubeObject = KubeObject> = WriteOptions & { readonly resource: Resource<T> } & (
    | {
        readonly verb: "create";
        readonly object: T;
        /** "binding", "eviction", "token": `object` is then of that kind, and metadata.name and namespace say of what. */
        readonly subresource?: string;
      }
    | { readonly verb: "update"; readonly object: T; readonly subresource?: string }
    | {
        readonly verb: "patch";
        readonly type: PatchType;
        readonly namespace?: string;
        readonly name: string;
        readonly patch: unknown;
        readonly subresource?: string;
        /** Only for `apply`: take ownership of fields that others manage. */
        readonly force?: boolean;
      }
    | {
        readonly verb: "delete";
        readonly namespace?: string;
        readonly name: string;
        readonly preconditions?: Preconditions;
        readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
        readonly gracePeriodSeconds?: number;
      }
  );

export interface Api {
  get<T extends KubeObject>(resource: Resource<T>, key: NamespacedName): Promise<T>;
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<ObjectList<T>>;
  /** Ends without error when the server ends it (time-out, restart); rejects with 410 Expired when the version is too old. */
  watch<T extends KubeObject>(resource: Resource<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** Answers with the object as it now is (after a delete: as it was, or as it is terminating). */
  write<T extends KubeObject>(write: Write<T>): Promise<T>;
}
