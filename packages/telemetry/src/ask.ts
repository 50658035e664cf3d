/** The part of this package that only asks: for commands, which load nothing else of it. */
export { httpTelemetry } from "./api/http-telemetry.ts";
export { ProviderError, prometheusTelemetry } from "./api/prometheus-telemetry.ts";
export { telemetryPrefix } from "./api/wire.ts";
export { attribute, attributesOf, carriers, plain } from "./attributes.ts";
export { toJson } from "./otlp/json.ts";
export type { Span } from "./otlp/types.ts";
export { ExecutionError } from "./promql/failure.ts";
export {
  type FoundLog,
  type Labels,
  type LogSearch,
  type QueryData,
  QueryError,
  type Telemetry,
  type TraceSummary,
} from "./telemetry.ts";
export { criticalPath, type Stretch, shares } from "./trace/critical-path.ts";
export { type TraceNode, type TraceTree, traceTree, walk } from "./trace/trace-tree.ts";
