/** How many queries run at once, and how many wait for that. */

export class BusyError extends Error {}

export class Admission {
  readonly #running: number;
  readonly #waiting: number;
  #busy = 0;
  readonly #queue: (() => void)[] = [];

  /** `running` at once; `waiting` more, in their order; the rest is refused. */
  constructor(running: number, waiting: number) {
    this.#running = running;
    this.#waiting = waiting;
  }

  get busy(): number {
    return this.#busy;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** A `BusyError` when too many wait; the signal's reason when it is aborted meanwhile. Call what is returned once, at the end. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#busy < this.#running) this.#busy++;
    else {
      if (this.#queue.length >= this.#waiting)
        throw new BusyError(`${this.#running} queries run and ${this.#waiting} wait already; try again later`);
      await this.#turn(signal);
    }
    return () => {
      const next = this.#queue.shift();
      // The place goes on to who is next, so that nobody comes between.
      if (next) next();
      else this.#busy--;
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#queue.splice(this.#queue.indexOf(go), 1);
        reject(signal.reason);
      };
      this.#queue.push(go);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}
