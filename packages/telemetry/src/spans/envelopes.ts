/** The different resources and scopes of a head. There are few, and each is decoded once, when it is first seen. */
import type { Envelope } from "./span-rows.ts";

export class Envelopes {
  readonly list: Envelope[] = [];
  /** Bytes in all. */
  size = 0;
  readonly #numbers = new Map<string, number>();
  readonly #service: (bytes: Buffer) => string;

  /** `service` gives the service's name of a new one; what it throws refuses it. */
  constructor(service: (bytes: Buffer) => string) {
    this.#service = service;
  }

  /** The number of these bytes, which are copied. */
  intern(bytes: Buffer): number {
    const key = bytes.toString("latin1");
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const copy = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(copy);
    this.list.push({ bytes: copy, service: this.#service(copy) });
    this.#numbers.set(key, this.list.length - 1);
    this.size += bytes.length;
    return this.list.length - 1;
  }

  /** Forgets all from this number on. */
  cut(count: number): void {
    for (const { bytes } of this.list.splice(count)) {
      this.#numbers.delete(bytes.toString("latin1"));
      this.size -= bytes.length;
    }
  }

  clear(): void {
    this.cut(0);
  }
}
