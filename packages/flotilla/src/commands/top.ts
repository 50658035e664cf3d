// flotilla top: the services now: requests, errors, response times, processor and memory; again and again on a terminal.

import { sleep, systemClock } from "@flotilla/ambient";
import type { QueryData, Telemetry } from "@flotilla/telemetry/ask";
import { amount, milliseconds, sparkline } from "../amounts.ts";
import { applicationOf } from "../connect.ts";
import { CommandError } from "../errors.ts";
import { jsonText, printLines } from "../legible.ts";
import { serviceStates } from "../service-state.ts";
import { telemetryOf } from "../telemetry-of.ts";
import { columns, fit, isColoured, LiveLines, painter, terminal, visibleWidth } from "../terminal.ts";

export interface TopOptions {
  readonly once?: boolean;
  readonly output?: "json";
}

/** Figures of one service over the last minute; undefined: nothing was measured. */
export interface ServiceFigures {
  readonly service: string;
  /** Requests per second. */
  readonly rate?: number;
  /** Share of requests that failed, 0 to 1. */
  readonly errors?: number;
  /** Milliseconds. */
  readonly p50?: number;
  readonly p95?: number;
  readonly p99?: number;
  /** Cores. */
  readonly cpu?: number;
  /** Bytes. */
  readonly memory?: number;
  /** Requests per second over the last ten minutes. */
  readonly trend: readonly (number | undefined)[];
}

const requests = (namespace: string, more = "") =>
  `sum by (service) (rate(flotilla_requests_total{namespace="${namespace}"${more}}[1m]))`;
const quantile = (q: number, namespace: string) =>
  `histogram_quantile(${q}, sum by (service) (rate(flotilla_request_duration_seconds{namespace="${namespace}"}[1m])))`;

const queries = (namespace: string) => ({
  rate: requests(namespace),
  // No code: the client went away, or nothing answered.
  failed: requests(namespace, ', code=~"5..|"'),
  p50: quantile(0.5, namespace),
  p95: quantile(0.95, namespace),
  p99: quantile(0.99, namespace),
  cpu: `sum by (service) (rate(container_cpu_usage_seconds_total{namespace="${namespace}"}[1m]))`,
  memory: `sum by (service) (container_memory_working_set_bytes{namespace="${namespace}"})`,
});

/** Milliseconds between two points of what was; how many there are. */
const trendStep = 20_000;
const trendPoints = 30;

export async function top(dir: string, { once, output }: TopOptions): Promise<void> {
  const telemetry = telemetryOf(dir);
  const live = !once && !output && process.stdout.isTTY ? new LiveLines(terminal(process.stdout)) : undefined;
  const canvas = () => ({ paint: painter(isColoured(process.stdout)), width: process.stdout.columns ?? 120 });
  const look = async () => {
    const { app } = await applicationOf(dir);
    // A job that is done has no figures any more.
    const names = serviceStates(app).flatMap(({ name, state }) => (state === "done" ? [] : [name]));
    return figures(telemetry, app.metadata.namespace as string, names, systemClock.now());
  };
  let found = await look();
  if (output === "json") return void process.stdout.write(`${jsonText(found, 2)}\n`);
  if (!live) return void printLines(process.stdout, table(found, canvas()));
  let fault: string | undefined;
  for (;;) {
    const lines = table(found, canvas());
    live.draw(fault === undefined ? lines : [...lines, "", ...fault.split("\n")]);
    await sleep(systemClock, 1000);
    try {
      found = await look();
      fault = undefined;
    } catch (error) {
      // What has died is started again; until then the last figures stand, with the reason why they do.
      if (!(error instanceof CommandError)) throw error;
      fault = error.message;
    }
  }
}

export async function figures(
  telemetry: Telemetry,
  namespace: string,
  services: readonly string[],
  now: number,
): Promise<ServiceFigures[]> {
  const asked = Object.entries(queries(namespace));
  const trend = { from: now - trendStep * (trendPoints - 1), to: now, step: trendStep };
  const [over, ...answers] = await Promise.all([
    telemetry.range(requests(namespace), trend),
    ...asked.map(([, query]) => telemetry.instant(query, now)),
  ]);
  const by = new Map(asked.map(([name], i) => [name, byService(answers[i] as QueryData)]));
  const trends = trendsOf(over, trend);
  const known = new Set([...services, ...(by.get("rate")?.keys() ?? [])]);
  return [...known].filter(Boolean).map((service): ServiceFigures => {
    const of = (name: string) => by.get(name)?.get(service);
    const inMilliseconds = (name: string) => {
      const value = of(name);
      return value === undefined || Number.isNaN(value) ? undefined : value * 1000;
    };
    const rate = of("rate");
    return {
      service,
      rate,
      errors: rate ? (of("failed") ?? 0) / rate : undefined,
      p50: inMilliseconds("p50"),
      p95: inMilliseconds("p95"),
      p99: inMilliseconds("p99"),
      cpu: of("cpu"),
      memory: of("memory"),
      trend: trends.get(service) ?? [],
    };
  });
}

function byService(data: QueryData): Map<string, number> {
  if (data.resultType !== "vector") throw new Error(`a vector was asked for, not a ${data.resultType}`);
  return new Map(data.result.map(({ metric, value }) => [metric.service ?? "", Number(value?.[1])]));
}

function trendsOf(data: QueryData, { from, step, to }: { from: number; to: number; step: number }) {
  if (data.resultType !== "matrix") throw new Error(`a matrix was asked for, not a ${data.resultType}`);
  const count = Math.floor((to - from) / step) + 1;
  return new Map(
    data.result.map(({ metric, values = [] }) => {
      const line: (number | undefined)[] = Array.from({ length: count });
      for (const [seconds, value] of values) line[Math.round((seconds * 1000 - from) / step)] = Number(value);
      return [metric.service ?? "", line];
    }),
  );
}

/** Fewer points of the last ten minutes say nothing: then they are left out. */
const fewestPoints = 6;

export function table(
  found: readonly ServiceFigures[],
  { paint, width }: { readonly paint: ReturnType<typeof painter>; readonly width: number },
): string[] {
  const head = ["SERVICE", "REQ/S", "ERRORS", "P50", "P95", "P99", "CPU", "MEMORY"].map((title) => paint("dim", title));
  const time = (value: number | undefined) => (value === undefined ? "-" : milliseconds(value));
  const figures = columns([
    head,
    ...found.map(({ service, rate, errors, p50, p95, p99, cpu, memory }) => [
      service,
      rate === undefined ? "-" : short(rate),
      errors === undefined ? "-" : paint(errors > 0 ? "red" : "green", `${short(errors * 100)}%`),
      time(p50),
      time(p95),
      time(p99),
      cpu === undefined ? "-" : `${Math.round(cpu * 1000)}m`,
      memory === undefined ? "-" : `${Math.round(memory / 2 ** 20)}Mi`,
    ]),
  ]);
  const room = width - Math.max(...figures.map(visibleWidth)) - 2;
  if (room < fewestPoints) return figures;
  const minutes = Math.max(1, Math.round((Math.min(room, trendPoints) * trendStep) / 60_000));
  const trends = found.map(({ trend }) => sparkline(trend.slice(-room), 0));
  const title = fit(`LAST ${minutes} MIN`, room);
  return columns(figures.map((line, i) => [line, i === 0 ? paint("dim", title) : (trends[i - 1] as string)]));
}

/** Two digits are enough to watch. */
const short = (value: number) => amount(Math.abs(value) < 10 ? Number(value.toPrecision(2)) : Math.round(value));
