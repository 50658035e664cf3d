/** The latest values of facts from outside. Each source runs once, however many controllers read it. */
import { type Clock, type Random, sleep } from "@flotilla/ambient";
import { backoffDelay, watchBackoff } from "./backoff.ts";
import type { Source } from "./controller.ts";
import type { Log } from "./log.ts";

interface Valued {
  readonly value: unknown;
  readonly at: number;
}

export class Sources {
  readonly #values = new Map<Source, Map<string, Valued>>();
  readonly #stop = new AbortController();

  /** Starts all of them; `onChange` is called for each new, changed or forgotten value. */
  constructor(
    sources: Iterable<Source>,
    { clock, random, log }: { clock: Clock; random: Random; log: Log },
    onChange: (source: Source, key: string) => void,
  ) {
    const run = async (source: Source) => {
      const values = new Map<string, Valued>();
      this.#values.set(source, values);
      const set = (key: string, value: unknown) => {
        if (this.#stop.signal.aborted) return;
        if (value === undefined) values.delete(key);
        else values.set(key, { value, at: clock.now() });
        onChange(source, key);
      };
      const { signal } = this.#stop;
      for (let failures = 1; !signal.aborted; failures++) {
        try {
          await source.start(set, signal);
          return;
        } catch (error) {
          if (signal.aborted) return;
          log({ level: "error", message: `source ${source.name} failed; starting it again`, error });
          await sleep(clock, backoffDelay(watchBackoff, failures, random), signal).catch(() => undefined);
        }
      }
    };
    for (const source of new Set(sources)) void run(source);
  }

  valueOf<V>(source: Source<V>, key: string, now: number): { value: V; age: number } | undefined {
    const found = this.#values.get(source as Source)?.get(key);
    return found && { value: found.value as V, age: now - found.at };
  }

  /** The keys that have a value. */
  keysOf(source: Source): Iterable<string> {
    return this.#values.get(source)?.keys() ?? [];
  }

  stop(): void {
    this.#stop.abort();
  }
}
