/** A metric store on a simulated clock in a folder of its own, anew for each test of a file that imports this. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Simulation, simulation } from "@flotilla/ambient";
import { afterEach, beforeEach } from "vitest";
import { encodeMetrics } from "../otlp/codec.ts";
import type { Metric } from "../otlp/types.ts";
import { Losses } from "../sink.ts";
import type { MetricLimits } from "./limits.ts";
import { MetricStore } from "./metric-store.ts";
import { metricsOf } from "./metrics.fixture.ts";
import type { Matcher } from "./series.ts";

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;
export const begin = Date.parse("2026-03-01T00:00:00Z");
export const ever = { from: 0, to: Number.MAX_SAFE_INTEGER };
const service = { "service.name": "orders" };

export let folder: string;
export let simulated: Simulation;
export let losses: Losses;
export let store: MetricStore;
const opened: MetricStore[] = [];

export function open(limits: Partial<MetricLimits> = {}): MetricStore {
  store = MetricStore.open({ folder, clock: simulated.clock, losses, limits: { reserve: 0, ...limits } });
  opened.push(store);
  return store;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "metrics-"));
  simulated = simulation(1, begin);
  losses = new Losses();
});

afterEach(() => {
  for (const each of opened.splice(0)) each.close();
  rmSync(folder, { recursive: true });
});

export const now = () => simulated.clock.now();
export const add = (...metrics: Metric[]) => store.add(encodeMetrics(metricsOf(service, ...metrics)));
export const named = (value: string): Matcher => ({ name: "__name__", op: "=", value });
export const valuesOf = (name: string, period = ever) =>
  [...store.select([named(name)], period)].map(({ values }) => Array.from(values));
export const lost = () => losses.list().map(({ reason, count }) => `${count} ${reason}`);
export const files = (part: string) => readdirSync(folder).filter((name) => name.includes(part));

/** One sample every `step` over `span`; the clock goes along. */
export async function run(span: number, step: number, value: (count: number) => Metric) {
  for (let count = 0; count * step < span; count++) {
    add(value(count));
    await simulated.advance(step);
  }
}

/** As SIGKILL: nothing is closed, no timer of the process runs any more, and the next one reads what the system has. */
export function crash(limits: Partial<MetricLimits> = {}): void {
  simulated = simulation(1, now());
  open(limits);
}
