/**
 * Who wins on a laptop: what somebody else changed (kubectl scale, edit, rollout undo) stays until the App itself changes that
 * field. An annotation of the object keeps, for each field that was yielded, the hash of what the App then asked for.
 */
import { apiVersionOf, contentHash, type KubeObject, type Resource, typeTable } from "@flotilla/objects";
import { ApplyConflictError, apply } from "@flotilla/patch";
import { type Place, placeOf, valueAt, withoutPlaces } from "./field-path.ts";

const yieldedAnnotation = "flotilla.dev/yielded";

/** Whether anybody else ever wrote a field that is not status; most objects are ours alone. */
const isShared = (live: KubeObject, manager: string): boolean =>
  live.metadata.managedFields?.some((entry) => entry.manager !== manager && entry.subresource !== "status") ?? false;

function conflicts(
  live: KubeObject,
  config: KubeObject,
  resource: Resource,
  manager: string,
  now: Date,
): readonly string[] {
  try {
    apply(live, config, {
      manager,
      force: false,
      now,
      schema: { table: typeTable(), type: resource.type },
      apiVersion: apiVersionOf(resource),
    });
    return [];
  } catch (error) {
    if (error instanceof ApplyConflictError) return error.conflicts.map((conflict) => conflict.field);
    throw error;
  }
}

function recorded(live: KubeObject): Record<string, string> {
  try {
    const value: unknown = JSON.parse(live.metadata.annotations?.[yieldedAnnotation] ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, string>) : {};
  } catch {
    // Somebody wrote something else there: nothing is known to be yielded.
    return {};
  }
}

/** The configuration to apply, with force: without the fields that others changed since the App last did. */
export function yielding(
  live: KubeObject | undefined,
  config: KubeObject,
  resource: Resource,
  manager: string,
  now: Date,
): KubeObject {
  if (!live || !isShared(live, manager)) return config;
  const before = recorded(live);
  const places: Place[] = [];
  const yielded: Record<string, string> = {};
  for (const field of conflicts(live, config, resource, manager, now)) {
    const place = placeOf(config, field);
    if (!place) continue;
    const wanted = contentHash(valueAt(config, place));
    if (before[field] !== undefined && before[field] !== wanted) continue;
    yielded[field] = wanted;
    places.push(place);
  }
  if (places.length === 0) return config;
  const left = withoutPlaces(config, places);
  const annotations = { ...left.metadata.annotations, [yieldedAnnotation]: JSON.stringify(yielded) };
  return { ...left, metadata: { ...left.metadata, annotations } };
}
