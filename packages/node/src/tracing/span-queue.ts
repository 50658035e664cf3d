/**
 * Ended spans on their way out: sent in batches, kept while the endpoint is away, never more than the queue holds. The SDK's own
 * batch processor gives up a batch that fails, and cannot say its last word when the process exits.
 */
import type { Clock } from "@flotilla/ambient";
import { type Context, TraceFlags } from "@opentelemetry/api";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { Exporter } from "./exporter.ts";
import type { BatchSettings } from "./settings.ts";

/** After a failure, milliseconds; doubled with each, up to ten times as long. */
const retryAfter = 500;
/** The very first batch does not wait longer: a program that ends soon has a connection then. Milliseconds. */
const firstAfter = 50;

export class SpanQueue implements SpanProcessor {
  /** Spans that were never sent: the queue was full, or the endpoint refused them. */
  dropped = 0;
  readonly #settings: BatchSettings;
  readonly #exporter: Exporter;
  readonly #encode: (spans: ReadableSpan[]) => Uint8Array;
  readonly #clock: Clock;
  #waiting: ReadableSpan[] = [];
  #failures = 0;
  #first = true;
  #sending = false;
  #timer = false;
  #idle: (() => void)[] = [];

  constructor(
    settings: BatchSettings,
    exporter: Exporter,
    encode: (spans: ReadableSpan[]) => Uint8Array,
    clock: Clock,
  ) {
    this.#settings = settings;
    this.#exporter = exporter;
    this.#encode = encode;
    this.#clock = clock;
  }

  onStart(_span: unknown, _context: Context): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    if (this.#waiting.length >= this.#settings.queue) {
      this.dropped += 1;
      return;
    }
    this.#waiting.push(span);
    if (this.#failures === 0 && this.#waiting.length >= this.#settings.size) this.#send();
    else this.#sendIn(this.#first ? Math.min(firstAfter, this.#settings.delay) : this.#settings.delay);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Resolves when all that waits has been sent, or could not be. */
  forceFlush(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#send(true);
    });
  }

  shutdown(): Promise<void> {
    return this.forceFlush();
  }

  /** All that waits, at once; false: it could not be written. */
  flushAtExit(): boolean {
    const spans = this.#waiting;
    this.#waiting = [];
    const sent = this.#exporter.sendAtExit(spans.length > 0 ? this.#encode(spans) : undefined);
    if (!sent) this.dropped += spans.length;
    return sent;
  }

  #sendIn(ms: number): void {
    if (this.#timer || this.#sending) return;
    this.#timer = true;
    const send = () => {
      this.#timer = false;
      this.#send();
    };
    this.#clock.after(ms, send, { background: true });
  }

  #send(keepAlive = false): void {
    if (this.#sending) return;
    const batch = this.#waiting.splice(0, this.#settings.size);
    if (batch.length === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    this.#sending = true;
    this.#first = false;
    this.#exporter.send(
      this.#encode(batch),
      (outcome) => {
        this.#sending = false;
        if (outcome === "away") return this.#putBack(batch);
        this.#failures = 0;
        if (outcome === "refused") this.dropped += batch.length;
        if (this.#waiting.length >= this.#settings.size || this.#idle.length > 0) this.#send(keepAlive);
        else if (this.#waiting.length > 0) this.#sendIn(this.#settings.delay);
      },
      keepAlive,
    );
  }

  /** The oldest stay: they are what somebody looks for when the endpoint is back. */
  #putBack(batch: ReadableSpan[]): void {
    const room = this.#settings.queue - batch.length;
    this.dropped += Math.max(0, this.#waiting.length - room);
    this.#waiting = [...batch, ...this.#waiting.slice(0, room)];
    for (const resolve of this.#idle.splice(0)) resolve();
    this.#sendIn(retryAfter * Math.min(10, 2 ** this.#failures));
    this.#failures += 1;
  }
}
