/** What the API knows about one kind beyond the table. Each kind's rules live in `rules/<group>/<kind>.ts`. */
import type { FieldError, KubeObject } from "@flotilla/objects";

export interface KindRules<T extends KubeObject = KubeObject> {
  /** Fills in defaults, in place, on create, update and patch; before admission and validation. Applying it twice changes nothing. */
  defaults?(object: T): void;
  /** Sets or clears what clients may not say, in place: status on create, generated selectors, qosClass. `before` is undefined on create. */
  prepare?(object: T, before: T | undefined): void;
  /** All mistakes, not only the first. */
  validate?(object: T): FieldError[];
  /** Mistakes of a new object alone; `validate` runs too. */
  validateCreate?(object: T): FieldError[];
  /** Mistakes of the change alone (immutable fields); `validate` runs too. */
  validateUpdate?(object: T, before: T): FieldError[];
  /** Mistakes of a write to the status subresource. */
  validateStatus?(object: T, before: T): FieldError[];
  /** Texts for the Warning header: deprecated or dangerous but allowed. */
  warnings?(object: T): string[];
  /** What field selectors may name beside metadata.name and metadata.namespace. */
  fields?(object: T): Record<string, string>;
  /** Whether metadata.generation counts changes of everything outside of metadata and status (default: of spec). */
  generation?: "spec" | "none";
  /** Whether a change counts in metadata.generation although the spec is the same. */
  countsAlso?(object: T, before: T): boolean;
  /** The default of propagationPolicy where it is not Background. */
  propagation?: "Orphan" | "Foreground";
  /** Seconds of graceful deletion for kinds that have it; 0 removes at once. */
  gracePeriod?(object: T): number;
}
