/** How many bytes may be taken by now: so many a second, and those of one second at once. */
export class Pace {
  readonly #bytesPerSecond: number;
  #left: number;
  #at: number;

  constructor(bytesPerSecond: number, now: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#left = bytesPerSecond;
    this.#at = now;
  }

  /** Whether anything may be taken; what is taken may be more than was left, and is owed then. */
  allows(now: number): boolean {
    const earned = (Math.max(0, now - this.#at) / 1000) * this.#bytesPerSecond;
    this.#left = Math.min(this.#bytesPerSecond, this.#left + earned);
    this.#at = now;
    return this.#left > 0;
  }

  take(bytes: number): void {
    this.#left -= bytes;
  }
}
