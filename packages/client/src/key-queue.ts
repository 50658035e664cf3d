/**
 * The keys of one controller that are to be looked at: each one at a time, a burst of wake-ups as one look, failures
 * again after a growing delay.
 */
import type { Cancel, Clock, Random } from "@flotilla/ambient";
import { backoffDelay, keyBackoff } from "./backoff.ts";
import type { Key } from "./controller.ts";

export interface LookResult {
  readonly failed: boolean;
  /** Milliseconds until the next look if nothing wakes the key earlier. */
  readonly lookAgainIn?: number;
}

interface Entry {
  readonly key: Key;
  state: "idle" | "ready" | "running";
  /** Woken while running. */
  again: boolean;
  failures: number;
  timer?: Cancel;
}

export interface KeyQueueOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How many keys are looked at at once. */
  readonly concurrency: number;
  /** Must not throw. */
  readonly look: (key: Key) => Promise<LookResult>;
}

export class KeyQueue {
  readonly #options: KeyQueueOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #ready: Entry[] = [];
  readonly #running = new Set<Promise<void>>();
  #pumping = false;
  #stopped = false;

  constructor(options: KeyQueueOptions) {
    this.#options = options;
  }

  /** Has the key looked at soon, and not before the look that is under way has ended. */
  add(key: Key): void {
    if (this.#stopped) return;
    const id = JSON.stringify([key.namespace, key.name]);
    let entry = this.#entries.get(id);
    if (!entry) {
      entry = { key, state: "idle", again: false, failures: 0 };
      this.#entries.set(id, entry);
    }
    if (entry.state === "running") entry.again = true;
    else if (entry.state === "idle") this.#enqueue(entry);
  }

  /** Resolves when the looks under way have ended; there are none afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const entry of this.#entries.values()) entry.timer?.();
    await Promise.all(this.#running);
  }

  #enqueue(entry: Entry): void {
    entry.timer?.();
    entry.timer = undefined;
    entry.state = "ready";
    this.#ready.push(entry);
    this.#pumpSoon();
  }

  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#options.clock.soon(() => {
      this.#pumping = false;
      while (!this.#stopped && this.#running.size < this.#options.concurrency) {
        const entry = this.#ready.shift();
        if (!entry) return;
        const run = this.#run(entry).finally(() => {
          this.#running.delete(run);
          if (this.#ready.length > 0) this.#pumpSoon();
        });
        this.#running.add(run);
      }
    });
  }

  async #run(entry: Entry): Promise<void> {
    const { clock, random, look } = this.#options;
    entry.state = "running";
    entry.again = false;
    const { failed, lookAgainIn } = await look(entry.key);
    if (this.#stopped) return;
    entry.state = "idle";
    entry.failures = failed ? entry.failures + 1 : 0;
    const delays = failed ? [backoffDelay(keyBackoff, entry.failures, random)] : [];
    if (lookAgainIn !== undefined) delays.push(Math.max(0, lookAgainIn));
    if (entry.again) this.#enqueue(entry);
    else if (delays.length > 0) {
      entry.timer = clock.after(Math.min(...delays), () => {
        if (entry.state === "idle") this.#enqueue(entry);
      });
    } else this.#entries.delete(JSON.stringify([entry.key.namespace, entry.key.name]));
  }
}
