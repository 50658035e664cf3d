/** What the stores have of requests, read back after they were closed and opened again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simulation } from "@flotilla/ambient";
import { LogStore } from "../logs/log-store.ts";
import { MetricStore } from "../metrics/metric-store.ts";
import type { SeriesSamples } from "../metrics/series.ts";
import { Losses, type Sink } from "../sink.ts";
import { SpanStore } from "../spans/span-store.ts";
import type { FoundLog } from "../telemetry.ts";
import type { Recorded } from "./receiver.fixture.ts";
import type { LogsData, TracesData } from "./types.ts";

const day = 86_400_000;

export interface Stores extends Sink {
  readonly spans: SpanStore;
  readonly logs_: LogStore;
  readonly series: MetricStore;
  readonly losses: Losses;
  close(): void;
}

export function openStores(folder: string, at: number): Stores {
  const { clock } = simulation(1, at);
  const losses = new Losses();
  const limits = { age: day, bytes: 2 ** 30, reserve: 0 };
  const spans = SpanStore.open({ folder: join(folder, "spans"), clock, losses, limits });
  const logs = LogStore.open({ folder: join(folder, "logs"), clock, losses, limits });
  const series = MetricStore.open({ folder: join(folder, "metrics"), clock, losses, limits: { reserve: 0 } });
  return {
    spans,
    logs_: logs,
    series,
    losses,
    traces: (request) => spans.add(request),
    logs: (request) => logs.add(request),
    metrics: (request) => series.add(request),
    close: () => {
      for (const store of [spans, logs, series]) store.close();
    },
  };
}

export interface Kept {
  readonly traces: readonly TracesData[];
  readonly logs: readonly FoundLog[];
  readonly series: readonly SeriesSamples[];
  readonly losses: readonly string[];
}

/** `at`: the time of the stores' clock, ms since the epoch. */
export async function kept(requests: readonly Recorded[], at: number): Promise<Kept> {
  const folder = mkdtempSync(join(tmpdir(), "kept-"));
  let stores = openStores(folder, at);
  try {
    for (const { signal, request } of requests) stores[signal](request);
    const losses = stores.losses.list().map(({ signal, reason, count }) => `${signal} ${reason} ${count}`);
    stores.close();
    stores = openStores(folder, at);
    const period = { from: at - day, to: at + day };
    const found = await stores.spans.traces(period);
    const traces = await Promise.all(found.map(({ traceId }) => stores.spans.trace(traceId)));
    const records = await stores.logs_.logs(period);
    const events = await stores.logs_.logs({ ...period, event: "*" });
    const series = [...stores.series.select([{ name: "__name__", op: "!=", value: "" }], period)];
    return { traces: traces.map((trace) => trace ?? {}), logs: [...records, ...events], series, losses };
  } finally {
    stores.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each span with its resource and scope, by its id: how they are grouped is no matter. */
export const spansOf = (...traces: readonly TracesData[]) =>
  traces
    .flatMap(({ resourceSpans = [] }) => resourceSpans)
    .flatMap(({ scopeSpans = [], ...resource }) =>
      scopeSpans.flatMap(({ spans = [], ...scope }) => spans.map((span) => ({ resource, scope, span }))),
    )
    .sort((a, b) => (a.span.spanId < b.span.spanId ? -1 : 1));

/** In the form in which logs are found; those that are no events first. */
export const logsOf = ({ resourceLogs = [] }: LogsData) =>
  resourceLogs
    .flatMap(({ scopeLogs = [], resource }) =>
      scopeLogs.flatMap(({ logRecords = [], scope, schemaUrl }) =>
        logRecords.map((record) => ({ resource, scope, scopeSchemaUrl: schemaUrl, record })),
      ),
    )
    .sort((a, b) => Number(a.record.eventName !== undefined) - Number(b.record.eventName !== undefined));

/** Value, or count, sum and buckets of the last sample of each series, by its name. */
export function lastOf(series: readonly SeriesSamples[]): Record<string, unknown[]> {
  const last: Record<string, unknown[]> = {};
  for (const { labels, values, histograms } of series) {
    const name = labels.__name__ ?? "";
    last[name] ??= [];
    last[name].push(histograms?.at(-1) ?? values.at(-1));
  }
  return last;
}
