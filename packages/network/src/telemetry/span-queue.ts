/**
 * Spans on their way out: encoded some at a time, which is a fraction of the price of one by one, sent in batches, kept for a while
 * when nobody takes them, counted when they are dropped. What is kept is bounded in bytes; of what does not fit the oldest goes.
 */
import type { Cancel, Clock } from "@flotilla/ambient";
import { type Attributes, type Scope, wrapped } from "./otlp.ts";
import type { Sent } from "./otlp-client.ts";
import { ReverseWriter } from "./reverse-writer.ts";
import { type SpanRecord, writeSpan } from "./span-encoder.ts";

/** A batch is sent when it has so many spans or is so old (ms). */
const batchSpans = 512;
const batchAge = 500;
/** So many are encoded together: few enough that no request waits for it. */
const together = 64;
/** Bytes of a batch at first; it grows to what batches need. */
const firstSize = 16 * 1024;
/** Bytes that wait, at most. */
const mostKept = 4 * 1024 * 1024;
/** After the n-th failure in a row the next attempt is n times as late, up to the longest. Milliseconds. */
const firstPause = 500;
const longestPause = 5000;

interface Batch {
  readonly request: Uint8Array;
  readonly spans: number;
}

export interface SpanQueueOptions {
  readonly clock: Clock;
  readonly send: (request: Uint8Array) => Promise<Sent>;
  readonly scope: Scope;
  readonly onDropped: (spans: number, reason: "not taken in time" | "refused") => void;
}

export class SpanQueue {
  readonly #options: SpanQueueOptions;
  #fresh: { readonly resource: Attributes; readonly span: SpanRecord }[] = [];
  /** The batch that is being filled, by resource: encoded spans, and how many. */
  readonly #open = new Map<Attributes, { writer: ReverseWriter; spans: number }>();
  #openSpans = 0;
  #waiting: Batch[] = [];
  #bytes = 0;
  #timer: Cancel | undefined;
  #sending: Promise<void> | undefined;
  #failures = 0;

  constructor(options: SpanQueueOptions) {
    this.#options = options;
  }

  /** `resource`: the same object for the same resource. */
  add(resource: Attributes, span: SpanRecord): void {
    this.#fresh.push({ resource, span });
    if (this.#fresh.length >= together) this.#encode();
    if (this.#openSpans >= batchSpans) this.#close();
    else this.#timer ??= this.#options.clock.after(batchAge, () => this.#close(), { background: true });
  }

  /** Sends what there is; resolves when it has been taken, or not. */
  async flush(): Promise<void> {
    this.#close();
    await this.#sending;
  }

  #encode(): void {
    for (const { resource, span } of this.#fresh) {
      let open = this.#open.get(resource);
      if (!open) {
        open = { writer: new ReverseWriter(firstSize), spans: 0 };
        this.#open.set(resource, open);
      }
      writeSpan(open.writer, span);
      open.spans++;
    }
    this.#openSpans += this.#fresh.length;
    this.#fresh = [];
  }

  #close(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#encode();
    for (const [resource, open] of this.#open) {
      const { writer, spans } = open;
      if (spans > 0) this.#keep({ request: wrapped(writer, resource, this.#options.scope), spans });
      open.spans = 0;
    }
    this.#openSpans = 0;
    if (this.#waiting.length > 0) this.#sending ??= this.#send();
  }

  #keep(batch: Batch): void {
    this.#waiting.push(batch);
    this.#bytes += batch.request.length;
    while (this.#bytes > mostKept) {
      const oldest = this.#waiting.shift() as Batch;
      this.#bytes -= oldest.request.length;
      this.#options.onDropped(oldest.spans, "not taken in time");
    }
  }

  /** One after the other, until all are taken or somebody is away. */
  async #send(): Promise<void> {
    const { clock, send, onDropped } = this.#options;
    for (let batch = this.#waiting.shift(); batch; batch = this.#waiting.shift()) {
      this.#bytes -= batch.request.length;
      const sent = await send(batch.request);
      if (sent === "later") {
        this.#waiting.unshift(batch);
        this.#bytes += batch.request.length;
        break;
      }
      this.#failures = 0;
      if (sent === "refused") onDropped(batch.spans, "refused");
    }
    this.#sending = undefined;
    if (this.#waiting.length === 0) return;
    this.#failures++;
    this.#timer?.();
    this.#timer = clock.after(Math.min(longestPause, firstPause * this.#failures), () => this.#close(), {
      background: true,
    });
  }
}
