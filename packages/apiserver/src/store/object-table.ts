/** The objects of one resource in order of their keys, "namespace/name" or "name". */
import type { KubeObject } from "@flotilla/objects";

export class ObjectTable {
  readonly #objects = new Map<string, KubeObject>();
  #keys: string[] = [];

  /** Much faster than one `set` each. The table must be empty. */
  load(objects: Iterable<readonly [string, KubeObject]>): void {
    for (const [key, object] of objects) this.#objects.set(key, object);
    this.#keys = [...this.#objects.keys()].sort();
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  set(key: string, object: KubeObject): void {
    if (!this.#objects.has(key)) this.#keys.splice(this.#position(key), 0, key);
    this.#objects.set(key, object);
  }

  delete(key: string): void {
    if (this.#objects.delete(key)) this.#keys.splice(this.#position(key), 1);
  }

  /** In order; of one namespace or of all. */
  keys(namespace?: string): readonly string[] {
    if (namespace === undefined) return this.#keys;
    // "0" is the character after "/".
    return this.#keys.slice(this.#position(`${namespace}/`), this.#position(`${namespace}0`));
  }

  /** Where the key is or would be. */
  #position(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
