/** What a service promises its users, and where it is measured. */
import type { Names } from "./model.ts";
import type { SecretKey } from "./service.ts";

/** A share by queries of one's own, in which `$window` stands for the range: `errorRatio`, or `total` with `good` or `bad`. */
export interface QueriedObjective {
  /** "99%" */
  target: string;
  errorRatio?: string;
  good?: string;
  bad?: string;
  total?: string;
  /** How many there were in the window: with it, a few bad ones alert nobody on a laptop. */
  events?: string;
}

export interface Objectives {
  /** Share of requests that are answered, and not with 5xx: "99.9%". */
  availability?: string;
  /** By percentile, how long an answer without error may take: `p95: "300ms"`. */
  latency?: { [percentile: `p${number}`]: string };
  /** Share of requests that are answered with a code below 400; or of anything else, by queries. */
  success?: string | QueriedObjective;
  /** Not built yet: nothing measures it. */
  lag?: unknown;
  /** Rolling. Default: "30d". */
  window?: string;
  /** The address of a page that says what to do when it is missed. */
  runbook?: string;
}

/** A URL, or where one is kept. */
export type SecretUrl<N extends Names> = string | SecretKey<N>;

export interface AlertReceiver<N extends Names> {
  /** Default: its kind. */
  name?: string;
  /** Gets what Alertmanager sends to webhooks. Exactly one of these three. */
  webhook?: SecretUrl<N>;
  /** The address of an Alertmanager. */
  alertmanager?: SecretUrl<N>;
  /** An incoming webhook of Slack. */
  slack?: SecretUrl<N>;
  /** "page", "ticket". Default: all. */
  severities?: readonly string[];
}

export interface Retention {
  /** "7d" */
  age?: string;
  /** "1Gi" */
  size?: string;
}

/** What requests are measured by, where objectives are judged. */
export interface Metrics {
  /**
   * "otel": what OpenTelemetry in the services themselves says (http.server.request.duration, as Prometheus stores it).
   * "flotilla": what our data plane says. Default: "flotilla" on local, elsewhere "otel".
   */
  of?: "otel" | "flotilla";
  /** The duration of requests, without _bucket. Default: http_server_request_duration_seconds, flotilla_request_duration_seconds. */
  histogram?: string;
  /** Whether that is a native histogram. Default: by `of`, not of otel. */
  native?: boolean;
  /** The bounds of its buckets, where it is not native. Default: OpenTelemetry's. */
  buckets?: readonly string[];
  /** The label with the code of the answer. Default: http_response_status_code, code. */
  status?: string;
  /** What selects the series of a service; may hold ${app}, ${service}, ${namespace}. Default of otel: job="${app}/${service}". */
  match?: string;
}

export interface EnvironmentTelemetry<N extends Names> {
  /** Where services send their telemetry; on local, where everything that is taken in is sent on to. */
  otlp?: {
    /** "http://collector.observability:4318" */
    endpoint: string;
    /** Default: "http/protobuf". */
    protocol?: "http/protobuf" | "grpc";
    /** "name=value,name=value", as OTEL_EXPORTER_OTLP_HEADERS has it. */
    headers?: SecretKey<N>;
  };
  /** The server that questions go to, with Prometheus' API. */
  prometheus?: { url: string; headers?: SecretKey<N> };
  /** As what the rules of objectives are rendered, elsewhere than on local. Default: "ConfigMap". */
  rules?: "PrometheusRule" | "ConfigMap";
  metrics?: Metrics;
  /** Of what is kept on local. */
  retention?: { traces?: Retention; logs?: Retention; metrics?: Retention };
  /** Who is told of alerts, on local. Elsewhere Alertmanager does it. */
  alerts?: readonly AlertReceiver<N>[];
}
