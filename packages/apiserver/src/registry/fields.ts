/** Fields that the kind does not have are refused, warned about or passed over, as the client asks, and then dropped. */
import {
  type KubeObject,
  prune,
  type Resource,
  shapeError,
  unknownFieldMessage,
  validateShape,
} from "@flotilla/objects";
import type { RequestContext } from "../registry.ts";

/** In place. A value of a wrong type is refused in any case. */
export function checkFields(resource: Resource, object: KubeObject, context: RequestContext): void {
  const shape = validateShape(resource, object);
  const error = shapeError(resource, shape, context.fieldValidation === "Strict");
  if (error) throw error;
  if (shape.unknown.length === 0) return;
  if (context.fieldValidation === "Warn") for (const path of shape.unknown) context.warn(unknownFieldMessage(path));
  prune(resource, object);
}
