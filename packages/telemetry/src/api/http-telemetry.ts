/** `Telemetry` of a query server in another process. */

import type { TracesData } from "../otlp/types.ts";
import type { FoundLog, Telemetry, TraceSummary } from "../telemetry.ts";
import { metricsOver, type PrometheusTelemetryOptions, request } from "./prometheus-telemetry.ts";
import { fromWire, telemetryPrefix } from "./wire.ts";

export interface HttpTelemetryOptions {
  readonly url: string;
  readonly token: string;
  readonly fetch?: typeof fetch;
}

export function httpTelemetry({ url, token, fetch }: HttpTelemetryOptions): Telemetry {
  const options: PrometheusTelemetryOptions = {
    url,
    headers: { Authorization: `Bearer ${token}` },
    ...(fetch && { fetch }),
  };
  const base = telemetryPrefix.slice(1);
  const search = async (name: string, what: object): Promise<unknown> =>
    fromWire(
      await request(options, base + name, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(what),
      }),
    );
  return {
    ...metricsOver(options),
    traces: (what) => search("traces", what) as Promise<TraceSummary[]>,
    trace: async (id) => {
      if (!/^[0-9a-f]{32}$/i.test(id)) return undefined;
      return fromWire(await request(options, `${base}traces/${id}`, { method: "GET" })) as TracesData | undefined;
    },
    logs: (what) => search("logs", what) as Promise<FoundLog[]>,
  };
}
