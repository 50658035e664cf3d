export { type EmbeddedTelemetryOptions, embeddedTelemetry } from "./api/embedded-telemetry.ts";
export { type HttpTelemetryOptions, httpTelemetry } from "./api/http-telemetry.ts";
export {
  metricsOver,
  type PrometheusTelemetryOptions,
  ProviderError,
  prometheusTelemetry,
} from "./api/prometheus-telemetry.ts";
export {
  defaultServerLimits,
  type QueryServer,
  type QueryServerOptions,
  type ServerLimits,
  startQueryServer,
} from "./api/serve-query.ts";
export type { Alert, AlertingRule, Facts, RecordingRule, Rule, RuleGroup, Target as TargetInfo } from "./api/status.ts";
export { attribute, attributesOf, plain, serviceOf, textOf } from "./attributes.ts";
export {
  defaultForwardLimits,
  type Forwarder,
  type ForwardLimits,
  type ForwardOptions,
  type ForwardState,
  forwardEndpoint,
  forwardingSink,
  startForwarder,
} from "./forward/forwarder.ts";
export { LogStore, type LogStoreOptions, logLimits } from "./logs/log-store.ts";
export { changeEvent, kubernetesEvent } from "./marks/mark.ts";
export { type Marks, type MarksOptions, startMarks } from "./marks/marks.ts";
export { defaultMetricLimits, type MetricLimits } from "./metrics/limits.ts";
export {
  type MetricStats,
  MetricStore,
  type MetricStoreOptions,
} from "./metrics/metric-store.ts";
export type {
  BucketRun,
  Matcher,
  MetricMetadata,
  NativeHistogram,
  SeriesSamples,
  SeriesSource,
} from "./metrics/series.ts";
export { alertEvent } from "./objectives/alert-mark.ts";
export {
  type ObjectiveControllers,
  type ObjectiveControllersOptions,
  objectiveControllers,
} from "./objectives/objective-controllers.ts";
export {
  decodeLogRecord,
  decodeLogs,
  decodeMetrics,
  decodeResource,
  decodeScope,
  decodeSpan,
  decodeTraces,
  encodeLogRecord,
  encodeLogs,
  encodeMetrics,
  encodeResource,
  encodeScope,
  encodeSpan,
  encodeTraces,
} from "./otlp/codec.ts";
export { countRecords } from "./otlp/count.ts";
export { startGrpcReceiver } from "./otlp/grpc-receiver.ts";
export { type Receiver, type ReceiverOptions, startHttpReceiver } from "./otlp/http-receiver.ts";
export { defaultIntakeLimits, Intake, type IntakeLimits, type IntakeOptions } from "./otlp/intake.ts";
export { parseJson, toJson } from "./otlp/json.ts";
export type * from "./otlp/types.ts";
export type { PodLogLimits, PodLogsOptions } from "./pod-logs/follower.ts";
export { type PodLogs, podLogs } from "./pod-logs/pod-logs.ts";
export { defaultLimits as defaultQueryLimits, type Limits as QueryLimits } from "./promql/budget.ts";
export { type Engine, type EngineOptions, promqlEngine, type RunOptions } from "./promql/engine.ts";
export { ExecutionError } from "./promql/failure.ts";
export { parseQuery, parseSelector } from "./promql/parse.ts";
export { formatQuery, printQuery } from "./promql/print.ts";
export { parseRegexp, type Regexp, RegexpError } from "./promql/regexp/regexp.ts";
export { queryData, queryDataJson, type Result as QueryResult } from "./promql/result.ts";
export { activeTargets } from "./scrape/active-targets.ts";
export { type ExposedSample, ExpositionError, type Family, parseExposition } from "./scrape/exposition.ts";
export { type Fetch, httpFetch, type ScrapeAnswer, type ScrapeRequest } from "./scrape/fetch.ts";
export type { TargetState } from "./scrape/scrape-loop.ts";
export { defaultScrapeLimits, type ScrapeLimits, Scraper, type ScraperOptions } from "./scrape/scraper.ts";
export { countingSink, type SelfFacts, selfMetrics } from "./scrape/self-metrics.ts";
export { type ScrapeEffect, type ScrapeTarget, scrapeController } from "./scrape/targets.ts";
export { Losses, MalformedError, type Signal, type Sink, type Taken, UnavailableError } from "./sink.ts";
export type { KnownService } from "./spans/search.ts";
export {
  type SpanLimits,
  type SpanStats,
  SpanStore,
  type SpanStoreOptions,
  spanLimits,
} from "./spans/span-store.ts";
export type { StoreStats } from "./store/store-stats.ts";
export {
  type FoundLog,
  type Labels,
  type LogSearch,
  NotProvidedError,
  type Period,
  type QueryData,
  QueryError,
  type Telemetry,
  type TraceSearch,
  type TraceSummary,
} from "./telemetry.ts";
export { criticalPath, type Share, type Stretch, shares } from "./trace/critical-path.ts";
export { type TraceNode, type TraceTree, traceTree, walk } from "./trace/trace-tree.ts";
