/** A resource: where objects of one kind live in the API, and what they look like. */
import type { ListMeta, ObjectMeta } from "./generated/types.ts";
import type { TypeSchema } from "./schema.ts";

/** What the fields of every object start with. Objects read from an API always carry name, uid and resourceVersion. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** The answer to a list request: `kind` is the kind of the items followed by "List". */
export interface KubeList<T extends KubeObject = KubeObject> {
  apiVersion: string;
  kind: string;
  metadata: ListMeta;
  items: T[];
}

/**
 * One served resource. `T` is the type of its objects and exists for the compiler only.
 * Constants for the known kinds are named by the plural: `Pods`, `Deployments`, `EndpointSlices`.
 */
export interface Resource<T extends KubeObject = KubeObject> {
  /** "" for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Lower case, as in the URL: "pods". */
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** "status", "scale", "log", "exec", "binding", ... */
  readonly subresources: readonly string[];
  /** What may be done with it; left out: all of create, delete, deletecollection, get, list, patch, update, watch. */
  readonly verbs?: readonly string[];
  /** Key of the kind's type in the table, "apps/v1.Deployment"; undefined for kinds known only by a CustomResourceDefinition. */
  readonly type?: string;
  /** Schema of a kind that is not in the table (from a CustomResourceDefinition). */
  readonly schema?: TypeSchema;
  /** For the compiler only; never set. */
  readonly "~object"?: T;
}

/** "v1" or "apps/v1". */
export const apiVersionOf = (resource: Pick<Resource, "group" | "version">): string =>
  resource.group ? `${resource.group}/${resource.version}` : resource.version;

/** "pods" or "deployments.apps": unique among resources of one version; used as key of stores and caches. */
export const resourceName = (resource: Pick<Resource, "group" | "plural">): string =>
  resource.group ? `${resource.plural}.${resource.group}` : resource.plural;
