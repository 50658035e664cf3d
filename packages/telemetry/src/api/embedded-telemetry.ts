/** `Telemetry` over stores of this process. */
import type { SeriesSource } from "../metrics/series.ts";
import type { Engine } from "../promql/engine.ts";
import { queryData } from "../promql/result.ts";
import type { Telemetry } from "../telemetry.ts";
import { checkedSelector } from "./parameters.ts";
import { found } from "./prometheus-api.ts";

export interface EmbeddedTelemetryOptions {
  readonly metrics: SeriesSource;
  /** Over `metrics`; shared by all who ask here, as is what its queries may cost together. */
  readonly engine: Engine;
  readonly spans: Pick<Telemetry, "traces" | "trace">;
  readonly logs: Pick<Telemetry, "logs">;
}

export function embeddedTelemetry({ metrics, engine, spans, logs }: EmbeddedTelemetryOptions): Telemetry {
  return {
    instant: async (query, at) => queryData(await engine.instant(query, at)),
    range: async (query, span) => queryData(await engine.range(query, span)),
    series: async (selectors, period) => found(metrics, selectors.map(checkedSelector), period),
    traces: (search) => spans.traces(search),
    trace: (id) => spans.trace(id),
    logs: (search) => logs.logs(search),
  };
}
