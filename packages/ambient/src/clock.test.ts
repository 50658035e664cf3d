import { expect, test, vi } from "vitest";
import { sleep, systemClock } from "./clock.ts";
import { simulation } from "./simulation.ts";

const day = 86_400_000;

test("waits longer than a timer of Node.js can", () => {
  vi.useFakeTimers();
  try {
    const run = vi.fn();
    systemClock.after(60 * day, run);
    vi.advanceTimersByTime(60 * day - 1);
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledOnce();
  } finally {
    vi.useRealTimers();
  }
});

test("a long wait can be taken back at any time", () => {
  vi.useFakeTimers();
  try {
    const run = vi.fn();
    const cancel = systemClock.after(60 * day, run);
    vi.advanceTimersByTime(40 * day);
    cancel();
    vi.advanceTimersByTime(40 * day);
    expect(run).not.toHaveBeenCalled();
  } finally {
    vi.useRealTimers();
  }
});

test("sleep ends in time, or with the signal's reason", async () => {
  const { clock, advance } = simulation(1);
  const slept = sleep(clock, 1000).then(() => clock.now());
  const stop = new AbortController();
  const stopped = sleep(clock, 1000, stop.signal).catch((reason: unknown) => reason);
  stop.abort("enough");
  const begun = clock.now();
  await advance(2000);
  expect([(await slept) - begun, await stopped]).toEqual([1000, "enough"]);
});
