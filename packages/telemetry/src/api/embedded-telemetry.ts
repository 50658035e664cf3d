/** `Telemetry` over stores of this process. */
import type { Clock } from "@flotilla/ambient";
import type { SeriesSource } from "../metrics/series.ts";
import type { Limits } from "../promql/budget.ts";
import { promqlEngine } from "../promql/engine.ts";
import { queryData } from "../promql/result.ts";
import type { Telemetry } from "../telemetry.ts";
import { checkedSelector } from "./parameters.ts";
import { found } from "./prometheus-api.ts";

export interface EmbeddedTelemetryOptions {
  readonly metrics: SeriesSource;
  readonly spans: Pick<Telemetry, "traces" | "trace">;
  readonly logs: Pick<Telemetry, "logs">;
  readonly clock: Clock;
  readonly limits?: Partial<Limits>;
}

export function embeddedTelemetry({ metrics, spans, logs, clock, limits }: EmbeddedTelemetryOptions): Telemetry {
  const engine = promqlEngine({ source: metrics, clock, ...(limits && { limits }) });
  return {
    instant: async (query, at) => queryData(await engine.instant(query, at)),
    range: async (query, span) => queryData(await engine.range(query, span)),
    series: async (selectors, period) => found(metrics, selectors.map(checkedSelector), period),
    traces: (search) => spans.traces(search),
    trace: (id) => spans.trace(id),
    logs: (search) => logs.logs(search),
  };
}
