/**
 * Traces and logs over HTTP, as the `Telemetry` interface has them, in OTLP/JSON:
 *
 *     POST /api/telemetry/v1/traces      a TraceSearch    {"status": "success", "data": TraceSummary[]}
 *     GET  /api/telemetry/v1/traces/ID                    TracesData; 404: nothing is known of it
 *     POST /api/telemetry/v1/logs        a LogSearch      FoundLog[]
 */
import { toJsonText } from "../otlp/json.ts";
import type { Telemetry } from "../telemetry.ts";
import { failure, plainText, streamed } from "./answer.ts";
import type { Handler } from "./prometheus-api.ts";
import { readLogSearch, readTraceSearch } from "./search.ts";
import { telemetryPrefix } from "./wire.ts";

const traceId = /^[0-9a-f]{32}$/i;

export function telemetryApi(telemetry: Pick<Telemetry, "traces" | "trace" | "logs">): Handler {
  return async ({ method, path, body }) => {
    if (!path.startsWith(telemetryPrefix)) return undefined;
    const name = path.slice(telemetryPrefix.length);
    const id = /^traces\/([^/]+)$/.exec(name)?.[1];
    if (id === undefined && name !== "traces" && name !== "logs") return plainText("404 page not found\n", 404);
    if (method !== (id === undefined ? "POST" : "GET")) return failure("bad_data", `${method} is not supported`, 405);
    if (id !== undefined) {
      const trace = traceId.test(id) ? await telemetry.trace(id.toLowerCase()) : undefined;
      return trace ? streamed([toJsonText(trace)]) : failure("not_found", `nothing is known of trace ${id}`);
    }
    if (name === "traces") return streamed(items(await telemetry.traces(readTraceSearch(body))));
    return streamed(items(await telemetry.logs(readLogSearch(body))));
  };
}

function* items(list: readonly object[]): Generator<string> {
  let separator = "[";
  for (const item of list) {
    yield separator + toJsonText(item);
    separator = ",";
  }
  yield separator === "[" ? "[]" : "]";
}
