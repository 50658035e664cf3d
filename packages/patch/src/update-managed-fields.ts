/**
 * What a create, an update or a patch does to managedFields: what it changed is its manager's and nobody else's, what it
 * removed is nobody's.
 *
 * Source: apimachinery pkg/util/managedfields/internal (fieldmanager.go, managedfieldsupdater.go, skipnonapplied.go).
 */
import { type Comparison, compare, isSame } from "./compare.ts";
import { difference, fieldSet, fields, isEmpty, union } from "./field-set.ts";
import { get, type JsonObject } from "./json.ts";
import {
  capUpdaters,
  decodeSent,
  decodeStored,
  encode,
  isReset,
  type Managed,
  metadataOf,
  nobody,
  type OwnerEntry,
  ownerId,
  sameManaged,
  timestamp,
  unowned,
  withManagedFields,
  withoutManagedFields,
} from "./managed-fields.ts";
import { ownersAfterUpdate, without } from "./ownership.ts";
import { ShapeError } from "./path-element.ts";
import type { Schema } from "./schema.ts";
import { rootShape } from "./shape.ts";

export interface ManagerOptions {
  /** The field manager; "" is written as "unknown". */
  readonly manager: string;
  readonly now: Date;
  readonly schema: Schema;
  readonly apiVersion: string;
  readonly subresource?: string;
  /** Paths that this endpoint does not write, such as ["status"]: nobody comes to own them through it. */
  readonly resetFields?: readonly (readonly string[])[];
}

export interface UpdateOptions extends ManagerOptions {
  readonly operation?: "Update";
}

/**
 * `updated` with the managedFields that follow from it. `live` is undefined for a create. The managedFields in `updated`
 * count if a client changed them: `[]` or `[{}]` switches the tracking of this object off until it is next applied.
 *
 * An object with list items that nothing tells apart cannot be tracked and loses its managedFields, as in Kubernetes:
 * whether it is valid is for validation to say.
 */
export function updateManagedFields<T extends object>(live: T | undefined, updated: T, options: UpdateOptions): T {
  const next = updated as JsonObject;
  const stored = metadataOf(live).managedFields;
  const managed = managedBefore(live, next, options.subresource);
  const tracked = managed.owners.size > 0 || live === undefined || get(metadataOf(live), "uid") === undefined;
  if (!tracked) return withManagedFields(next, undefined) as T;

  const changes = trackableChanges(live as JsonObject | undefined, next, options);
  if (!changes) return withManagedFields(next, undefined) as T;
  if (managed.stored && isSame(changes)) return withManagedFields(next, stored) as T;
  const after = capUpdaters(updateManaged(managed, changes, options));
  return withManagedFields(next, encode(after, managed.stored ? managed : nobody)) as T;
}

/** Owners after an update by this manager; its time is renewed if it changed or added anything. */
export function updateManaged(managed: Managed, changes: Comparison, options: ManagerOptions): Managed {
  const by: OwnerEntry = updaterOf(options);
  const id = ownerId(by);
  const owners = ownersAfterUpdate(managed.owners, id, changes);
  if (isEmpty(union(changes.modified, changes.added))) return { owners, entries: managed.entries };
  return { owners, entries: new Map(managed.entries).set(id, { ...by, time: timestamp(options.now) }) };
}

function updaterOf({ manager, apiVersion, subresource }: ManagerOptions): OwnerEntry {
  return { manager: manager || "unknown", operation: "Update", apiVersion, subresource };
}

function trackableChanges(live: JsonObject | undefined, next: JsonObject, options: ManagerOptions) {
  try {
    return ownedChanges(live, next, options);
  } catch (error) {
    if (error instanceof ShapeError) return undefined;
    throw error;
  }
}

/** The changes of fields that somebody may own. */
export function ownedChanges(live: JsonObject | undefined, next: JsonObject, options: ManagerOptions): Comparison {
  const before = live ? withoutManagedFields(live) : {};
  const changes = compare(before, withoutManagedFields(next), rootShape(options.schema));
  const owned = {
    removed: difference(changes.removed, unowned),
    modified: difference(changes.modified, unowned),
    added: difference(changes.added, unowned),
  };
  return without(owned, ignoredBy(options));
}

export const ignoredBy = ({ resetFields = [] }: ManagerOptions) => fieldSet(resetFields.map((path) => fields(...path)));

/** `stored`: these are the owners that the live object names. A subresource cannot write managedFields; elsewhere, a client that sends none or bad ones leaves them as they are. */
function managedBefore(
  live: object | undefined,
  updated: JsonObject,
  subresource: string | undefined,
): Managed & { stored: boolean } {
  const before = { ...decodeStored(live), stored: live !== undefined };
  const sent = metadataOf(updated).managedFields;
  if (subresource || !Array.isArray(sent) || sameManaged(sent, metadataOf(live).managedFields)) return before;
  if (isReset(sent)) return { ...nobody, stored: false };
  try {
    return { ...decodeSent(sent), stored: false };
  } catch {
    return before;
  }
}
