/** What is current at each point of the program: the span that it works for, and the baggage. */
import type { EventEmitter } from "node:events";
import type { Context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";

export type Contexts = AsyncLocalStorageContextManager;

/** Links of a chain; then it is made anew of what can still be found. */
const longest = 8;

/**
 * Values on top of those of another context. OpenTelemetry's own copies a map and makes three functions for each value, several
 * times a request.
 */
class Chained implements Context {
  readonly #below: Chained | undefined;
  readonly #key: symbol | undefined;
  readonly #value: unknown;
  readonly #length: number;

  constructor(below?: Chained, key?: symbol, value?: unknown) {
    this.#below = below;
    this.#key = key;
    this.#value = value;
    this.#length = below ? below.#length + 1 : 0;
  }

  getValue(key: symbol): unknown {
    for (let link: Chained | undefined = this; link; link = link.#below) if (link.#key === key) return link.#value;
    return undefined;
  }

  setValue(key: symbol, value: unknown): Context {
    return new Chained(this.#length < longest ? this : this.#found(), key, value);
  }

  deleteValue(key: symbol): Context {
    return this.setValue(key, undefined);
  }

  /** A program may put one context upon another for ever; what is covered must not be kept. */
  #found(): Chained {
    const values = new Map<symbol, unknown>();
    for (let link: Chained | undefined = this; link; link = link.#below)
      if (link.#key !== undefined && !values.has(link.#key)) values.set(link.#key, link.#value);
    let found = new Chained();
    for (const [key, value] of values) if (value !== undefined) found = new Chained(found, key, value);
    return found;
  }
}

/** Nothing is current. */
export const emptyContext: Context = new Chained();

export const newContexts = (): Contexts => new AsyncLocalStorageContextManager();

/**
 * Listeners of the emitter run in this context, whatever emits: bytes of a request arrive in the context of its connection, which
 * other requests share.
 */
export function bindEmitter(contexts: Contexts, emitter: EventEmitter, context: Context): void {
  const { emit } = emitter;
  const value = function (this: EventEmitter, ...args: Parameters<EventEmitter["emit"]>): boolean {
    if (contexts.active() === context) return emit.apply(this, args);
    return contexts.with(context, () => emit.apply(this, args));
  };
  Object.defineProperty(emitter, "emit", { value, configurable: true, writable: true, enumerable: false });
}
