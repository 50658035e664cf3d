/** Which events are worth writing, and as what: the counting half of `event-recorder.ts`. */
import type { Clock } from "@flotilla/ambient";
import type { EventNote } from "./controller.ts";

/** Objects that are remembered at most. */
const mostRemembered = 4096;
/** So many different messages within the interval are combined into one event. */
const mostSimilar = 10;
const similarInterval = 600_000;
/** One object may get so many at once, and then one each refill. */
const burst = 25;
const refill = 300_000;

interface Similar {
  readonly messages: Set<string>;
  lastAt: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

export class EventLimits {
  readonly #clock: Clock;
  readonly #counts = new Map<string, number>();
  readonly #similar = new Map<string, Similar>();
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What to write, and how often it has been said so far; undefined: say nothing. Repeats share their identity. */
  take(component: string, note: EventNote): { identity: string; message: string; count: number } | undefined {
    const { about, type, reason, fieldPath = "" } = note;
    const { namespace, name, uid } = about.metadata;
    const group = [component, about.apiVersion, about.kind, namespace, name, uid, fieldPath, type].join("\u0000");
    const similar = `${group}\u0000${reason}`;
    const combine = this.#isTooVaried(similar, note.message);
    const message = combine ? `(combined from similar events): ${note.message}` : note.message;
    const identity = combine ? similar : `${similar}\u0000${message}`;
    const count = (this.#counts.get(identity) ?? 0) + 1;
    remember(this.#counts, identity, count);
    return this.#allowed(group) ? { identity, message, count } : undefined;
  }

  #isTooVaried(group: string, message: string): boolean {
    const now = this.#clock.now();
    let known = this.#similar.get(group);
    if (!known || now - known.lastAt > similarInterval) known = { messages: new Set(), lastAt: now };
    known.lastAt = now;
    // Beyond the limit it no longer matters which ones there were.
    if (known.messages.size < mostSimilar) known.messages.add(message);
    remember(this.#similar, group, known);
    return known.messages.size >= mostSimilar;
  }

  #allowed(group: string): boolean {
    const now = this.#clock.now();
    const known = this.#buckets.get(group) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, known.tokens + (now - known.at) / refill);
    const allowed = tokens >= 1;
    remember(this.#buckets, group, { tokens: allowed ? tokens - 1 : tokens, at: now });
    return allowed;
  }
}

/** Forgets the one that was used longest ago. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > mostRemembered) map.delete(map.keys().next().value as string);
}
