// flotilla top: the services now: requests, errors, response times, processor and memory; again and again on a terminal.
import { sleep, systemClock } from "@flotilla/ambient";
import type { QueryData, Telemetry } from "@flotilla/telemetry/ask";
import { amount, milliseconds, sparkline } from "../amounts.ts";
import { applicationOf } from "../connect.ts";
import { serviceStates } from "../service-state.ts";
import { telemetryOf } from "../telemetry-of.ts";
import { columns, isColoured, LiveLines, painter, terminal } from "../terminal.ts";

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

export async function top(dir: string, { once, output }: TopOptions): Promise<void> {
  const telemetry = telemetryOf(dir);
  const live = !once && !output && process.stdout.isTTY ? new LiveLines(terminal(process.stdout)) : undefined;
  for (;;) {
    const { app } = await applicationOf(dir);
    const names = serviceStates(app).map(({ name }) => name);
    const found = await figures(telemetry, app.metadata.namespace as string, names, systemClock.now());
    if (output === "json") process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    else if (live) live.draw(table(found));
    else process.stdout.write(`${table(found).join("\n")}\n`);
    if (!live) return;
    await sleep(systemClock, 1000);
  }
}

export async function figures(
  telemetry: Telemetry,
  namespace: string,
  services: readonly string[],
  now: number,
): Promise<ServiceFigures[]> {
  const asked = Object.entries(queries(namespace));
  const trend = { from: now - 600_000, to: now, step: 20_000 };
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

function table(found: readonly ServiceFigures[]): string[] {
  const paint = painter(isColoured(process.stdout));
  const head = ["SERVICE", "REQ/S", "ERRORS", "P50", "P95", "P99", "CPU", "MEMORY", "LAST 10 MIN"];
  const time = (value: number | undefined) => (value === undefined ? "-" : milliseconds(value));
  return columns([
    head.map((title) => paint("dim", title)),
    ...found.map(({ service, rate, errors, p50, p95, p99, cpu, memory, trend }) => [
      service,
      rate === undefined ? "-" : amount(rate),
      errors === undefined ? "-" : paint(errors > 0 ? "red" : "green", `${amount(errors * 100)}%`),
      time(p50),
      time(p95),
      time(p99),
      cpu === undefined ? "-" : `${Math.round(cpu * 1000)}m`,
      memory === undefined ? "-" : `${Math.round(memory / 2 ** 20)}Mi`,
      sparkline(trend),
    ]),
  ]);
}
