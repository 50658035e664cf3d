/** Sets fields that are not set. */

/** In place. "" counts as not set, as where Go has no pointer. */
export function fill<T extends object>(object: T, values: Partial<T>): void {
  for (const [name, value] of Object.entries(values)) {
    const present = object[name as keyof T] as unknown;
    if (present === undefined || present === null || present === "") object[name as keyof T] = value as T[keyof T];
  }
}
