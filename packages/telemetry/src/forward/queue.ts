/** Requests that wait to be sent on: within a number of bytes, the oldest give way to the newest. */
import type { Signal } from "../sink.ts";

export interface Waiting {
  readonly signal: Signal;
  /** By its place in the order in which they came. */
  readonly order: number;
  readonly request: Uint8Array;
  /** Made when it is first sent. */
  compressed?: Uint8Array;
}

/** Bytes which a request takes beside its own. */
const overhead = 256;

export class ForwardQueue {
  readonly #most: number;
  readonly #dropped: (waiting: Waiting) => void;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #order = 0;

  /** `most` in bytes; each request that gives way is handed to `dropped`. */
  constructor(most: number, dropped: (waiting: Waiting) => void) {
    this.#most = most;
    this.#dropped = dropped;
  }

  get length(): number {
    return this.#waiting.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(signal: Signal, request: Uint8Array): void {
    this.#insert(this.#waiting.length, { signal, request, order: this.#order++ });
  }

  /** One that was taken and could not be sent, to its old place. */
  putBack(waiting: Waiting): void {
    const next = this.#waiting.findIndex(({ order }) => order > waiting.order);
    this.#insert(next < 0 ? this.#waiting.length : next, waiting);
  }

  take(): Waiting | undefined {
    const first = this.#waiting.shift();
    if (first) this.#bytes -= sizeOf(first);
    return first;
  }

  #insert(at: number, waiting: Waiting): void {
    this.#waiting.splice(at, 0, waiting);
    this.#bytes += sizeOf(waiting);
    while (this.#bytes > this.#most) {
      const oldest = this.take();
      if (oldest) this.#dropped(oldest);
    }
  }
}

const sizeOf = ({ request, compressed }: Waiting): number => request.length + (compressed?.length ?? 0) + overhead;
