/** Fields that the kind does not have are refused, warned about or passed over, as the client asks, and then dropped. */
import {
  badRequest,
  type KubeObject,
  prune,
  type Resource,
  shapeError,
  strictDecodingMessage,
  unknownFieldMessage,
  validateShape,
} from "@flotilla/objects";
import { isCustom } from "../custom/custom-resource.ts";
import { pruneBySchema } from "../custom/structural-schema.ts";
import type { RequestContext } from "../registry.ts";

/** In place. A value of a wrong type is refused in any case. */
export function checkFields(resource: Resource, object: KubeObject, context: RequestContext): void {
  const unknown = isCustom(resource)
    ? customFields(resource.custom.schema, resource, object, context)
    : knownFields(resource, object, context);
  if (context.fieldValidation === "Warn") for (const path of unknown) context.warn(unknownFieldMessage(path));
}

function knownFields(resource: Resource, object: KubeObject, context: RequestContext): readonly string[] {
  const shape = validateShape(resource, object);
  const error = shapeError(resource, shape, context.fieldValidation === "Strict");
  if (error) throw error;
  return shape.unknown.length > 0 ? prune(resource, object) : [];
}

function customFields(
  schema: Parameters<typeof pruneBySchema>[0],
  resource: Resource,
  object: KubeObject,
  context: RequestContext,
): readonly string[] {
  const unknown: string[] = [];
  pruneBySchema(schema, object, unknown);
  // Of a custom object the table knows the metadata.
  const outline = { ...resource, schema: { fields: { metadata: { type: { ref: "meta/v1.ObjectMeta" } } } } } as const;
  const shape = validateShape(outline, { metadata: object.metadata });
  const error = shapeError(outline, shape, false);
  if (error) throw error;
  const all = [...shape.unknown, ...unknown];
  if (shape.unknown.length > 0) prune(outline, { metadata: object.metadata });
  if (context.fieldValidation === "Strict" && all.length > 0) throw badRequest(strictDecodingMessage(all));
  return all;
}
