/**
 * `metadata.managedFields`: reading and writing who owns which fields.
 *
 * Source: apimachinery pkg/util/managedfields/internal (managedfields.go, capmanagers.go, stripmeta.go, fieldmanager.go).
 */
import { emptySet, type FieldSet, fieldSet, fields, parseFieldSet, sortedSet, union } from "./field-set.ts";
import { byText, equal, get, isObject, type JsonObject } from "./json.ts";
import type { Owners } from "./ownership.ts";

export interface ManagedFieldsEntry {
  manager?: string;
  operation?: "Apply" | "Update";
  apiVersion?: string;
  time?: string;
  fieldsType?: "FieldsV1";
  fieldsV1?: FieldSet;
  subresource?: string;
}

/** An owner without its fields. */
export type OwnerEntry = Omit<ManagedFieldsEntry, "fieldsV1" | "fieldsType">;

/** Who owns what, and how each owner is written. Both maps have the same keys. */
export interface Managed {
  readonly owners: Owners;
  readonly entries: ReadonlyMap<string, OwnerEntry>;
}

export const nobody: Managed = { owners: new Map(), entries: new Map() };

/** Fields that nobody owns: the server's own, and those that name the object. */
export const unowned: FieldSet = fieldSet([
  fields("apiVersion"),
  fields("kind"),
  fields("metadata"),
  ...["name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation"].map((name) =>
    fields("metadata", name),
  ),
  fields("metadata", "managedFields"),
  fields("metadata", "resourceVersion"),
]);

/** An applier stays the same owner when it goes to another API version; an updater does not. */
export function ownerId({ manager, operation, apiVersion, subresource }: OwnerEntry): string {
  return JSON.stringify([operation, manager, operation === "Apply" ? "" : apiVersion, subresource ?? ""]);
}

export const metadataOf = (object: unknown): JsonObject => {
  const metadata = isObject(object) ? get(object, "metadata") : undefined;
  return isObject(metadata) ? metadata : {};
};

/** The object without its managedFields: what ownership is about. */
export function withoutManagedFields(object: JsonObject): JsonObject {
  const { managedFields, ...metadata } = metadataOf(object);
  return managedFields === undefined ? object : { ...object, metadata };
}

export function withManagedFields(object: JsonObject, managedFields: unknown): JsonObject {
  const { managedFields: before, ...metadata } = metadataOf(object);
  if (before === managedFields) return object;
  return { ...object, metadata: managedFields === undefined ? metadata : { ...metadata, managedFields } };
}

/** What a stored object says; it was written by `encode`. */
export function decodeStored(object: unknown): Managed {
  const list = metadataOf(object).managedFields;
  return Array.isArray(list) ? collect(list as ManagedFieldsEntry[], (set) => set ?? emptySet) : nobody;
}

/** What a client sent. Throws if it is malformed. */
export function decodeSent(list: readonly unknown[]): Managed {
  for (const [i, entry] of list.entries()) {
    const { operation, apiVersion, fieldsType } = (isObject(entry) ? entry : {}) as JsonObject;
    if (operation !== "Apply" && operation !== "Update") throw new Error("operation must be `Apply` or `Update`");
    if (typeof apiVersion !== "string" || apiVersion === "") throw new Error("apiVersion must not be empty");
    if (fieldsType === undefined) throw new Error(`missing fieldsType in managed fields entry ${i}`);
    if (fieldsType !== "FieldsV1") {
      throw new Error(`invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${i}`);
    }
  }
  return collect(list as ManagedFieldsEntry[], (set) => parseFieldSet(set ?? {}));
}

function collect(list: readonly ManagedFieldsEntry[], read: (fields: FieldSet | undefined) => FieldSet): Managed {
  const owners = new Map<string, FieldSet>();
  const entries = new Map<string, OwnerEntry>();
  for (const { fieldsV1, fieldsType: _, ...entry } of list) {
    const id = ownerId(entry);
    owners.set(id, read(fieldsV1));
    entries.set(id, entry);
  }
  return { owners, entries };
}

/** `[]` or `[{}]`: the client gives up all ownership. */
export function isReset(list: unknown): boolean {
  if (!Array.isArray(list)) return false;
  return list.length === 0 || (list.length === 1 && isObject(list[0]) && Object.keys(list[0]).length === 0);
}

/** The list to write, in Kubernetes' order; undefined if nobody owns anything. Sets of `stored` are in order already. */
export function encode({ owners, entries }: Managed, stored: Managed = nobody): ManagedFieldsEntry[] | undefined {
  if (owners.size === 0) return undefined;
  const list = [...owners].map(([id, set]): ManagedFieldsEntry => {
    const { manager, operation, apiVersion, time, subresource } = entries.get(id) ?? {};
    const entry: ManagedFieldsEntry = { manager, operation, apiVersion };
    if (time !== undefined) entry.time = time;
    entry.fieldsType = "FieldsV1";
    entry.fieldsV1 = stored.owners.get(id) === set ? set : sortedSet(set);
    if (subresource) entry.subresource = subresource;
    return entry;
  });
  return list.sort(compareEntries);
}

const seconds = (time: string | undefined): number => (time === undefined ? 0 : Math.floor(Date.parse(time) / 1000));

function compareEntries(left: ManagedFieldsEntry, right: ManagedFieldsEntry): number {
  return (
    byText(left.operation ?? "", right.operation ?? "") ||
    seconds(left.time) - seconds(right.time) ||
    byText(left.manager ?? "", right.manager ?? "") ||
    byText(left.apiVersion ?? "", right.apiVersion ?? "") ||
    byText(left.subresource ?? "", right.subresource ?? "")
  );
}

/** RFC 3339 in whole seconds. */
export const timestamp = (now: Date): string => now.toISOString().replace(/\.\d+Z$/, "Z");

export const sameManaged = (left: unknown, right: unknown): boolean => left === right || equal(left, right);

/** How many updaters an object remembers. Source: fieldmanager.go (DefaultMaxUpdateManagers). */
const maxUpdaters = 10;

/** Merges the oldest updaters of a version into one, "ancient-changes", until no more than `maxUpdaters` are left. */
export function capUpdaters(managed: Managed): Managed {
  const updaters = [...managed.owners.keys()].filter((id) => managed.entries.get(id)?.operation === "Update");
  if (updaters.length <= maxUpdaters) return managed;
  const owners = new Map(managed.owners);
  const entries = new Map(managed.entries);
  const age = (id: string) => seconds(entries.get(id)?.time);
  updaters.sort((left, right) => age(left) - age(right) || byText(left, right));

  const firstOfVersion = new Map<string, string>();
  let count = updaters.length;
  for (const id of updaters) {
    if (count <= maxUpdaters) break;
    const entry = entries.get(id) ?? {};
    const version = entry.apiVersion ?? "";
    const first = firstOfVersion.get(version);
    if (first === undefined) {
      firstOfVersion.set(version, id);
      continue;
    }
    const bucket: OwnerEntry = { manager: "ancient-changes", operation: "Update", apiVersion: version };
    const bucketId = ownerId(bucket);
    if (!owners.has(bucketId)) {
      owners.set(bucketId, owners.get(first) ?? emptySet);
      owners.delete(first);
    }
    if (id === bucketId) continue;
    owners.set(bucketId, union(owners.get(id) ?? emptySet, owners.get(bucketId) ?? emptySet));
    entries.set(bucketId, { ...bucket, time: entry.time });
    owners.delete(id);
    count--;
  }
  return { owners, entries };
}
