/** Turns the mistakes that rules have found into the answer that clients know. */
import { type FieldErrorType, invalid, type KubeObject, type Resource } from "@flotilla/objects";
import type { FieldError } from "../kind-rules.ts";

export function mustBeValid(resource: Resource, object: KubeObject, mistakes: readonly FieldError[]): void {
  if (mistakes.length === 0) return;
  throw invalid(
    resource,
    object.metadata.name,
    mistakes.map(({ field, reason, message }) => ({ field, type: reason as FieldErrorType, message })),
  );
}
