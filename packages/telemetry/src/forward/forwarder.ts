/**
 * Sends everything that is taken in on to an outside OTLP endpoint, as protobuf over HTTP. What comes in never waits for it:
 * requests are queued, tried again, and given up when there are too many.
 *
 * Source: OTLP specification 1.x, OTLP/HTTP Response, Retryable Response Codes, OTLP/HTTP Throttling.
 */
import { promisify } from "node:util";
import { constants, gzip as gzipWithCallback } from "node:zlib";
import type { Cancel, Clock, Random } from "@flotilla/ambient";
import { messageOfStatus, rejectedOf } from "../otlp/answer.ts";
import { countRecords } from "../otlp/count.ts";
import { type Losses, MalformedError, type Signal, type Sink } from "../sink.ts";
import { forwardMark } from "./mark.ts";
import { type PostAnswer, type Poster, poster } from "./post.ts";
import { ForwardQueue, type Waiting } from "./queue.ts";

export interface ForwardOptions {
  /** As OTEL_EXPORTER_OTLP_ENDPOINT has it, see `forwardEndpoint`. */
  readonly endpoint: string;
  /** Sent with each request, for authorization. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: Random;
  /** Counts spans, data points and log records that were not sent on: "not forwarded: ...". */
  readonly losses: Losses;
  readonly limits?: Partial<ForwardLimits>;
  /** Of the network; Node's own if not given. */
  readonly poster?: Poster;
}

export interface ForwardLimits {
  /** Bytes of requests that wait. */
  readonly queue: number;
  /** Requests under way at once. */
  readonly concurrency: number;
  /** Milliseconds until a request must be answered. */
  readonly answerTime: number;
  /** Milliseconds for which `close` goes on sending. */
  readonly closeTime: number;
}

export const defaultForwardLimits: ForwardLimits = {
  queue: 16 * 2 ** 20,
  concurrency: 4,
  answerTime: 10_000,
  closeTime: 2000,
};

export interface ForwardState {
  readonly endpoint: string;
  /** Of the last requests: since `since` (ms since the epoch) none got through, at last because of `message`. */
  readonly failing?: { readonly since: number; readonly message: string };
  /** The last request that the other side did not want, and which was therefore not tried again. */
  readonly refused?: { readonly at: number; readonly message: string };
  readonly queuedRequests: number;
  readonly queuedBytes: number;
  /** Since the start: requests that got through, and spans, data points and log records that never will. */
  readonly sentRequests: number;
  readonly dropped: number;
}

export interface Forwarder {
  /** Copies the request; never throws, never waits. */
  send(signal: Signal, request: Uint8Array): void;
  state(): ForwardState;
  /** Goes on with what is queued for a moment; what is left then is lost, and counted. */
  close(): Promise<void>;
}

/** Sends on what `sink` took; what it refuses comes again, from its sender. */
export const forwardingSink = (sink: Sink, forwarder: Pick<Forwarder, "send">): Sink => {
  const both = (signal: Signal) => (request: Uint8Array) => {
    const taken = sink[signal](request);
    forwarder.send(signal, request);
    return taken;
  };
  return { traces: both("traces"), metrics: both("metrics"), logs: both("logs") };
};

/** Where requests of each signal go. What is no such address is an error that says what to write. */
export function forwardEndpoint(endpoint: string): Readonly<Record<Signal, URL>> {
  const base = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!base || (base.protocol !== "http:" && base.protocol !== "https:"))
    throw new Error(`${endpoint}: not an address to forward to; write https://HOST:4318 (OTLP over HTTP)`);
  const path = base.pathname.replace(/\/+$/, "");
  const url = (signal: Signal): URL => new URL(`${path}/v1/${signal}${base.search}`, base);
  return { traces: url("traces"), metrics: url("metrics"), logs: url("logs") };
}

/** Source of growth and bounds: the OpenTelemetry Collector's exporterhelper; the first wait is shorter. Milliseconds. */
const backOff = { first: 1000, factor: 1.5, most: 30_000, jitter: 0.5 };
/** Beyond this a Retry-After is not believed. Milliseconds. */
const longestRetryAfter = 300_000;
const retryable = new Set([429, 502, 503, 504]);

const gzip = promisify(gzipWithCallback);

export function startForwarder(options: ForwardOptions): Forwarder {
  return new QueueingForwarder(options);
}

class QueueingForwarder implements Forwarder {
  readonly #options: ForwardOptions;
  readonly #limits: ForwardLimits;
  readonly #urls: Readonly<Record<Signal, URL>>;
  readonly #poster: Poster;
  readonly #queue: ForwardQueue;
  readonly #underWay = new Map<AbortController, Promise<void>>();
  #cancelPause: Cancel | undefined;
  #paused = false;
  #failures = 0;
  #failing: ForwardState["failing"];
  #refused: ForwardState["refused"];
  #sentRequests = 0;
  #dropped = 0;
  #closing = false;
  #onIdle: (() => void) | undefined;

  constructor(options: ForwardOptions) {
    this.#options = options;
    this.#limits = { ...defaultForwardLimits, ...options.limits };
    this.#urls = forwardEndpoint(options.endpoint);
    this.#poster = options.poster ?? poster(this.#limits.concurrency);
    this.#queue = new ForwardQueue(this.#limits.queue, (waiting) => this.#lose(waiting, "queue full"));
  }

  send(signal: Signal, request: Uint8Array): void {
    if (this.#closing) return;
    this.#queue.add(signal, new Uint8Array(request));
    this.#pump();
  }

  state(): ForwardState {
    return {
      endpoint: this.#options.endpoint,
      ...(this.#failing && { failing: this.#failing }),
      ...(this.#refused && { refused: this.#refused }),
      queuedRequests: this.#queue.length + this.#underWay.size,
      queuedBytes: this.#queue.bytes,
      sentRequests: this.#sentRequests,
      dropped: this.#dropped,
    };
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    if (!this.#paused && this.#busy) {
      const { clock } = this.#options;
      await new Promise<void>((resolve) => {
        const cancel = clock.after(this.#limits.closeTime, resolve);
        this.#onIdle = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#cancelPause?.();
    this.#paused = true;
    for (const abort of this.#underWay.keys()) abort.abort(new Error("forwarding ends"));
    await Promise.all(this.#underWay.values());
    for (let waiting = this.#queue.take(); waiting; waiting = this.#queue.take()) this.#lose(waiting, "stopped");
    this.#poster.close();
  }

  get #busy(): boolean {
    return this.#queue.length > 0 || this.#underWay.size > 0;
  }

  /** Starts as many requests as may be under way; while the other side fails, one to see whether it still does. */
  #pump(): void {
    const most = this.#failures > 0 ? 1 : this.#limits.concurrency;
    while (!this.#paused && this.#underWay.size < most) {
      const waiting = this.#queue.take();
      if (!waiting) break;
      const abort = new AbortController();
      this.#underWay.set(abort, this.#try(waiting, abort));
    }
    if (!this.#busy || (this.#closing && this.#paused)) this.#onIdle?.();
  }

  async #try(waiting: Waiting, abort: AbortController): Promise<void> {
    const late = new Error(`no answer within ${this.#limits.answerTime / 1000} s`);
    const cancel = this.#options.clock.after(this.#limits.answerTime, () => abort.abort(late), { background: true });
    try {
      waiting.compressed ??= await gzip(waiting.request, { level: constants.Z_BEST_SPEED });
      const url = this.#urls[waiting.signal];
      this.#judge(waiting, await this.#poster.post(url, this.#headers(), waiting.compressed, abort.signal));
    } catch (error) {
      this.#retry(waiting, messageOf(abort.signal.aborted ? abort.signal.reason : error));
    } finally {
      cancel();
      this.#underWay.delete(abort);
      this.#pump();
    }
  }

  #headers(): Readonly<Record<string, string>> {
    return {
      ...this.#options.headers,
      "content-type": "application/x-protobuf",
      "content-encoding": "gzip",
      "user-agent": "flotilla",
      [forwardMark.header]: forwardMark.value,
    };
  }

  #judge(waiting: Waiting, answer: PostAnswer): void {
    const { status } = answer;
    if (retryable.has(status)) {
      this.#retry(waiting, `answered ${status}`, this.#retryAfter(answer));
      return;
    }
    this.#failures = 0;
    this.#failing = undefined;
    if (status >= 200 && status < 300) {
      this.#sentRequests++;
      const { rejected, message } = rejectedOf(waiting.signal, answer.body);
      if (rejected > 0) this.#refuse(waiting, `rejected ${rejected}: ${message}`, rejected);
    } else {
      const message = messageOfStatus(answer.body);
      this.#refuse(waiting, `answered ${status}${message && `: ${message}`}`);
    }
  }

  #refuse(waiting: Waiting, why: string, count?: number): void {
    this.#refused = { at: this.#options.clock.now(), message: `${this.#urls[waiting.signal].pathname}: ${why}` };
    this.#lose(waiting, "refused", count);
  }

  #lose({ signal, request }: Waiting, reason: string, count = recordsOf(signal, request)): void {
    this.#dropped += count;
    this.#options.losses.add(signal, `not forwarded: ${reason}`, count);
  }

  /** Puts it back and lets everything wait; `retryAfter` is what the other side asked for, in milliseconds. */
  #retry(waiting: Waiting, message: string, retryAfter?: number): void {
    const { clock, random } = this.#options;
    this.#failing = { since: this.#failing?.since ?? clock.now(), message };
    if (this.#closing && this.#paused) {
      this.#lose(waiting, "stopped");
      return;
    }
    this.#queue.putBack(waiting);
    // Those that were under way together fail together: one wait for all of them.
    if (this.#paused) return;
    const grown = Math.min(backOff.first * backOff.factor ** this.#failures++, backOff.most);
    const wait = retryAfter ?? grown * (1 + backOff.jitter * (2 * random.next() - 1));
    this.#paused = true;
    this.#cancelPause = clock.after(wait, () => this.#resume(), { background: true });
  }

  #resume(): void {
    this.#paused = false;
    this.#pump();
  }

  #retryAfter({ retryAfter }: PostAnswer): number | undefined {
    if (retryAfter === undefined) return undefined;
    const wait = /^\d+$/.test(retryAfter)
      ? Number(retryAfter) * 1000
      : Date.parse(retryAfter) - this.#options.clock.now();
    return wait >= 0 ? Math.min(wait, longestRetryAfter) : undefined;
  }
}

/** A request that cannot be counted counts as one. */
function recordsOf(signal: Signal, request: Uint8Array): number {
  try {
    return countRecords(signal, request);
  } catch (error) {
    if (error instanceof MalformedError) return 1;
    throw error;
  }
}

/** Node's errors of connections to several addresses have their reasons inside. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}
