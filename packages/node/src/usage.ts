/** How much CPU and memory containers use: two looks at the runtime, some time apart. */
import type { Cancel, Clock } from "@flotilla/ambient";
import type { Runtime } from "./runtime.ts";

export interface Usage {
  /** Cores, over the window. */
  readonly cpuNanocores: number;
  readonly cpuNanosecondsTotal: number;
  readonly memoryBytes: number;
  /** When it was measured, and over how long. Milliseconds. */
  readonly at: number;
  readonly windowMs: number;
}

export interface UsageSampler {
  /** By the runtime's id; containers younger than a window have none yet. */
  usage(): Promise<ReadonlyMap<string, Usage>>;
  stop(): void;
}

interface Sample {
  readonly at: number;
  readonly cpuNanoseconds: number;
}

/**
 * When nobody has asked for so long, so that the next answer has a look before it. Longer than the ten seconds between two scrapes:
 * each look reads the table of all processes of the machine. Milliseconds.
 */
const sampleAfter = 15_000;
/** Shorter windows say little: the kernel counts in hundredths of a second. */
const shortestWindow = 1000;

export function usageSampler(runtime: Runtime, clock: Clock): UsageSampler {
  const samples = new Map<string, { readonly before: Sample; readonly latest: Sample }>();
  let latest: ReadonlyMap<string, Usage> = new Map();
  let cancel: Cancel = () => {};
  let stopped = false;
  let sampledAt = Number.NEGATIVE_INFINITY;

  async function sample() {
    const at = clock.now();
    sampledAt = at;
    const usage = new Map<string, Usage>();
    const running = await runtime.list();
    for (const { id, cpuNanoseconds, memoryBytes } of running) {
      const now = { at, cpuNanoseconds };
      const known = samples.get(id);
      const before = known && at - known.latest.at >= shortestWindow ? known.latest : (known?.before ?? now);
      samples.set(id, { before, latest: known && at - known.latest.at < shortestWindow ? known.latest : now });
      const windowMs = at - before.at;
      if (windowMs < shortestWindow) continue;
      const cpuNanocores = Math.max(0, Math.round((cpuNanoseconds - before.cpuNanoseconds) / (windowMs / 1000)));
      usage.set(id, { cpuNanocores, cpuNanosecondsTotal: cpuNanoseconds, memoryBytes, at, windowMs });
    }
    const alive = new Set(running.map(({ id }) => id));
    for (const id of samples.keys()) if (!alive.has(id)) samples.delete(id);
    latest = usage;
  }

  async function loop() {
    // What cannot be measured now may be the next time; whoever asks in between is told.
    if (clock.now() - sampledAt >= sampleAfter) await sample().catch(() => undefined);
    const wait = sampledAt + sampleAfter - clock.now();
    if (!stopped) cancel = clock.after(Math.max(wait, shortestWindow), () => void loop(), { background: true });
  }
  void loop();

  return {
    async usage() {
      await sample();
      return latest;
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
}
