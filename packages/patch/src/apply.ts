/**
 * Server-side apply of a configuration to an object.
 *
 * Source: apimachinery pkg/util/managedfields/internal (structuredmerge.go and the managers around it).
 */
import { ApplyConflictError, conflictsOf } from "./apply-conflict.ts";
import { checkShape } from "./check-shape.ts";
import { difference, emptySet, equalSets, type FieldSet, isEmpty } from "./field-set.ts";
import { equal, type JsonObject } from "./json.ts";
import { fieldsLastApplied, withLastApplied } from "./last-applied.ts";
import {
  decodeStored,
  encode,
  type Managed,
  metadataOf,
  nobody,
  type OwnerEntry,
  ownerId,
  timestamp,
  unowned,
  withManagedFields,
  withoutManagedFields,
} from "./managed-fields.ts";
import { type Applied, applyAs, type Owners, OwnershipConflict } from "./ownership.ts";
import { ApplyError } from "./patch-error.ts";
import { ShapeError } from "./path-element.ts";
import { withoutEmptied } from "./remove-fields.ts";
import { rootShape } from "./shape.ts";
import { ignoredBy, type ManagerOptions, ownedChanges, updateManaged } from "./update-managed-fields.ts";

export interface ApplyOptions extends ManagerOptions {
  /** Take the fields that others own and the configuration changes. */
  readonly force?: boolean;
}

export interface ApplyResult<T> {
  readonly object: T;
  /** False: the object, ownership included, is as it was. */
  readonly changed: boolean;
}

/**
 * The object after the configuration was applied; `live` is undefined if there is none yet. Throws an ApplyConflictError
 * if fields of other managers would change and `force` is not set, an ApplyError for a malformed configuration.
 */
export function apply<T extends object>(live: T | undefined, config: object, options: ApplyOptions): ApplyResult<T> {
  const stated = checkedConfig(config as JsonObject, options);
  const before = (live ?? {}) as JsonObject;
  const stored = decodeStored(before);
  const managed = live === undefined || stored.owners.size > 0 ? stored : beforeFirstApply(before, options);
  const bare = withoutManagedFields(before);

  const by: OwnerEntry = {
    manager: options.manager || "unknown",
    operation: "Apply",
    apiVersion: options.apiVersion,
    subresource: options.subresource,
  };
  const id = ownerId(by);
  const shape = rootShape(options.schema);
  const { value, merged, owners } = applyOrConflict(bare, stated, managed, id, options);
  let object = withoutEmptied(merged, value, shape) as JsonObject;
  if (options.manager === "kubectl") object = withLastApplied(object, stated);

  const own = difference(owners.get(id) ?? emptySet, unowned);
  const after = new Map(owners);
  const previous = managed.owners.get(id);
  if (isEmpty(own)) after.delete(id);
  else after.set(id, previous && equalSets(previous, own) ? previous : own);

  if (live !== undefined && equal(bare, object)) {
    const same: Managed = {
      owners: after,
      entries: new Map(managed.entries).set(id, { ...managed.entries.get(id), ...by }),
    };
    if (equal(encode(same, stored), metadataOf(live).managedFields)) return { object: live, changed: false };
  }
  const entries = new Map(managed.entries).set(id, { ...by, time: timestamp(options.now) });
  return { object: withManagedFields(object, encode({ owners: after, entries }, stored)) as T, changed: true };
}

/** Owners of an object that nobody tracked so far: all that is there has been there "before-first-apply". */
function beforeFirstApply(live: JsonObject, options: ManagerOptions): Managed {
  const first: ManagerOptions = { ...options, manager: "before-first-apply" };
  try {
    return updateManaged(nobody, ownedChanges(undefined, live, first), first);
  } catch (error) {
    throw error instanceof ShapeError ? untypedLive(error) : error;
  }
}

const untypedLive = (error: ShapeError) => new ApplyError(`failed to create typed live object: ${error.message}`);

/** The configuration as it takes part; a creation time that a client's serializer wrote as null is no statement. */
function checkedConfig(config: JsonObject, options: ApplyOptions): JsonObject {
  const metadata = metadataOf(config);
  if (metadata.managedFields !== undefined && metadata.managedFields !== null) {
    throw new ApplyError("metadata.managedFields must be nil");
  }
  if (config.apiVersion !== options.apiVersion) {
    const versions = `Specified patch version: ${String(config.apiVersion)}, expected: ${options.apiVersion}`;
    throw new ApplyError(`Incorrect version specified in apply patch. ${versions}`);
  }
  const { creationTimestamp, managedFields: _, ...others } = metadata;
  const kept = creationTimestamp === null ? others : { creationTimestamp, ...others };
  const stated = creationTimestamp === undefined ? config : { ...config, metadata: kept };
  try {
    checkShape(stated, rootShape(options.schema));
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const object = `${String(metadata.namespace ?? "")}/${String(metadata.name ?? "")}`;
    const kind = `${options.apiVersion}, Kind=${String(config.kind)}`;
    throw new ApplyError(`failed to create typed patch object (${object}; ${kind}): ${error.message}`);
  }
  return stated;
}

function applyOrConflict(
  live: JsonObject,
  config: JsonObject,
  { owners, entries }: Managed,
  id: string,
  options: ApplyOptions,
): Applied {
  const shape = rootShape(options.schema);
  const ignored = ignoredBy(options);
  try {
    return applyAs(live, config, owners, id, { shape, force: options.force ?? false, ignored });
  } catch (error) {
    if (error instanceof ShapeError) throw untypedLive(error);
    if (!(error instanceof OwnershipConflict)) throw error;
    const allowed = options.manager === "kubectl" ? fieldsLastApplied(live, shape, options.apiVersion) : emptySet;
    const left = withoutAllowed(error.conflicts, allowed);
    if (left.size > 0) throw new ApplyConflictError(conflictsOf(left, entries));
    return applyAs(live, config, owners, id, { shape, force: true, ignored });
  }
}

function withoutAllowed(conflicts: Owners, allowed: FieldSet): Owners {
  const left = new Map<string, FieldSet>();
  for (const [id, set] of conflicts) {
    const rest = difference(set, allowed);
    if (!isEmpty(rest)) left.set(id, rest);
  }
  return left;
}
