/**
 * Moving from client-side to server-side apply: fields that kubectl's annotation says it applied, and that still hold
 * what it says, are no conflict for kubectl.
 *
 * Source: apimachinery pkg/util/managedfields/internal (lastappliedmanager.go, lastappliedupdater.go).
 */
import { compare } from "./compare.ts";
import { difference, emptySet, type FieldSet } from "./field-set.ts";
import { byText, isObject, type JsonObject } from "./json.ts";
import { metadataOf, withoutManagedFields } from "./managed-fields.ts";
import { ShapeError } from "./path-element.ts";
import type { Shape } from "./shape.ts";
import { toFieldSet } from "./to-field-set.ts";

export const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

/** Bytes that all annotations of an object may have. Source: apimachinery pkg/api/validation (TotalAnnotationSizeLimitB). */
const maxAnnotationBytes = 256 * 1024;

const annotationsOf = (object: unknown): JsonObject => {
  const { annotations } = metadataOf(object);
  return isObject(annotations) ? annotations : {};
};

/** The fields that the annotation of the live object claims with the values that they have. */
export function fieldsLastApplied(live: JsonObject, shape: Shape, apiVersion: string): FieldSet {
  const applied = parseAnnotation(annotationsOf(live)[lastAppliedAnnotation]);
  if (applied?.apiVersion !== apiVersion) return emptySet;
  try {
    const { removed, modified, added } = compare(applied, withoutManagedFields(live), shape);
    return [modified, added, removed].reduce(difference, toFieldSet(applied, shape));
  } catch (error) {
    if (error instanceof ShapeError) return emptySet;
    throw error;
  }
}

function parseAnnotation(text: unknown): JsonObject | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const applied: unknown = JSON.parse(text);
    return isObject(applied) ? applied : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The object with its annotation, if it has one, saying what has now been applied; too large a one is dropped. */
export function withLastApplied(object: JsonObject, config: JsonObject): JsonObject {
  const annotations = annotationsOf(object);
  if (!annotations[lastAppliedAnnotation]) return object;
  const { [lastAppliedAnnotation]: _, ...stated } = annotationsOf(config);
  const metadata = { ...metadataOf(config) };
  if (metadata.annotations !== undefined) metadata.annotations = stated;
  const text = `${JSON.stringify(sorted({ ...config, metadata }))}\n`;
  const { [lastAppliedAnnotation]: __, ...others } = annotations;
  const size = Object.entries(others).reduce((sum, [key, value]) => sum + key.length + String(value).length, 0);
  const fits = size + lastAppliedAnnotation.length + text.length <= maxAnnotationBytes;
  const updated = fits ? { ...annotations, [lastAppliedAnnotation]: text } : others;
  return { ...object, metadata: { ...metadataOf(object), annotations: updated } };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([left], [right]) => byText(left, right));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
