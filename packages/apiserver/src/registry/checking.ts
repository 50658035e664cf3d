/** Turns the mistakes that rules have found into the answer that clients know. */
import { type FieldError, invalid, type KubeObject, type Resource } from "@flotilla/objects";

export function mustBeValid(resource: Resource, object: KubeObject, mistakes: readonly FieldError[]): void {
  if (mistakes.length > 0) throw invalid(resource, object.metadata.name, mistakes);
}
