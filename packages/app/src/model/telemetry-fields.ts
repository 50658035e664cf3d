/** The fields of a service's objectives and of an environment's telemetry. */
import type { Names } from "./model.ts";
import type {
  AlertReceiver,
  EnvironmentTelemetry,
  Metrics,
  Objectives,
  QueriedObjective,
  Retention,
} from "./objectives.ts";
import {
  choice,
  either,
  type FieldsOf,
  field,
  flag,
  later,
  list,
  name,
  needed,
  object,
  record,
  type Shape,
  text,
} from "./shape.ts";

export const secretKey: Shape = object({
  secret: needed(name("secret"), "One of the app's secrets."),
  key: needed(text("secretKey"), "One of its keys."),
});

const query = text("any");

const queried: FieldsOf<QueriedObjective> = {
  target: needed(text("share"), "How much is to be good."),
  errorRatio: field(query, "PromQL: the share of errors; `$window` stands for the range."),
  good: field(query, "PromQL: what was good, beside total."),
  bad: field(query, "PromQL: what was not, beside total."),
  total: field(query, "PromQL: all there was."),
  events: field(query, "PromQL: how many there were in the window; with it, a few bad ones alert nobody on a laptop."),
};

export const objectives: FieldsOf<Objectives> = {
  availability: field(text("share"), "Share of requests that are answered, and not with 5xx."),
  latency: field(
    record("percentile", text("duration")),
    "By percentile, how long an answer without error may take: p95, p99.9.",
  ),
  success: field(
    either("a share or {target, good | bad | errorRatio, total}", text("share"), object(queried)),
    "Share of requests answered with a code below 400; or of anything else, by queries.",
  ),
  lag: later("Messages that wait: nothing measures it."),
  window: field(text("period"), "The time over which it is promised, rolling.", { default: "30d" }),
  runbook: field(text("url"), "A page that says what to do when it is missed."),
};

const secretUrl = either("a URL or {secret, key}", text("url"), secretKey);

const receiver: FieldsOf<AlertReceiver<Names>> = {
  name: field(text("name"), "What it is called; its kind."),
  webhook: field(secretUrl, "Gets what Alertmanager sends to webhooks."),
  alertmanager: field(secretUrl, "The address of an Alertmanager."),
  slack: field(secretUrl, "An incoming webhook of Slack."),
  severities: field(list(text("name")), "Which alerts: page, ticket; all."),
};

const retention: FieldsOf<Retention> = {
  age: field(text("period"), "What is older is deleted."),
  size: field(text("quantity"), "Of more than this, the oldest is deleted."),
};

const metrics: FieldsOf<Metrics> = {
  of: field(
    choice(["otel", "flotilla"]),
    "Who measures: OpenTelemetry in the services, or our data plane; on local flotilla, elsewhere otel.",
  ),
  histogram: field(text("metric"), "The duration of requests, without _bucket; as `of` has it."),
  native: field(flag, "Whether that is a native histogram; as `of` has it."),
  buckets: field(list(text("duration")), "The bounds of its buckets, where it is not native; OpenTelemetry's."),
  status: field(text("metric"), "The label with the code of the answer; as `of` has it."),
  match: field(
    text("any"),
    "What selects a service's series; may hold $" + "{app}, $" + "{service} and $" + "{namespace}; as `of` has it.",
  ),
};

export const telemetry: FieldsOf<EnvironmentTelemetry<Names>> = {
  otlp: field(
    object({
      endpoint: needed(text("url"), "Its address."),
      protocol: field(choice(["http/protobuf", "grpc"]), "How to speak to it.", { default: "http/protobuf" }),
      headers: field(secretKey, "Headers as name=value, comma separated, in one of the app's secrets."),
    }),
    "Where services send telemetry; on local, where all of it is sent on to.",
  ),
  prometheus: field(
    object({
      url: needed(text("url"), "Its address."),
      headers: field(secretKey, "Headers as name=value, comma separated, in one of the app's secrets."),
    }),
    "The server with Prometheus' API that `flotilla query -e` asks; not on local.",
  ),
  rules: field(
    choice(["PrometheusRule", "ConfigMap"]),
    'As what objectives are rendered where it is not local: "ConfigMap" unless stated.',
  ),
  metrics: field(object(metrics), "What requests are measured by."),
  retention: field(
    object({
      traces: field(object(retention), "Of traces."),
      logs: field(object(retention), "Of logs."),
      metrics: field(object(retention), "Of metrics."),
    }),
    "How much is kept on local.",
  ),
  alerts: field(list(object(receiver)), "Who is told of alerts on local; elsewhere Alertmanager does it."),
};
