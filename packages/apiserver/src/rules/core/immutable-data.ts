/** What ConfigMaps and Secrets have in common. Source: kubernetes pkg/apis/core/validation */
import { type FieldError, forbiddenField } from "@flotilla/objects";

/** Bytes of all values together. */
export const dataLimit = 1024 * 1024;

const why = "field is immutable when `immutable` is set";

/** Of an object that was said never to change; each field with whether it has. */
export function immutableMistakes(
  immutable: boolean | undefined,
  changes: readonly (readonly [string, boolean])[],
): FieldError[] {
  const still = immutable ? [] : [forbiddenField("immutable", why)];
  return [...still, ...changes.filter(([, changed]) => changed).map(([field]) => forbiddenField(field, why))];
}
