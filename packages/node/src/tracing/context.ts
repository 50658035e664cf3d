/** What is current at each point of the program: the span that it works for, and the baggage. */
import type { EventEmitter } from "node:events";
import type { Context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";

export type Contexts = AsyncLocalStorageContextManager;

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
