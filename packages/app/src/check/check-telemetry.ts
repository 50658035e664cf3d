/** What the shapes of objectives and of an environment's telemetry can not say. */
import { type ObjectiveIndicator, objectiveMistakes, parsePeriod, parseShare } from "@flotilla/objects";
import { queryMistake } from "@flotilla/telemetry/objectives";
import { local } from "../environment.ts";
import { isMeasurable, metricNames } from "../expand/indicators.ts";
import { portsOf } from "../expand/ports.ts";
import { milliseconds } from "../model/formats.ts";
import type { App, Names } from "../model/model.ts";
import type { AlertReceiver, EnvironmentTelemetry, Objectives, QueriedObjective } from "../model/objectives.ts";
import type { Service } from "../model/service.ts";
import { at, type Mistake } from "./mistake.ts";

type Report = (path: string, message: string, remedy: string) => void;

/** Whose requests the data plane sees as requests. */
const answering = new Set(["http", "grpc", "ws"]);

function checkShare(path: string, share: string, report: Report): void {
  if (parseShare(share)?.share === 0) report(path, "0% promises nothing", 'write for example "99.9%"');
}

/** Of each query that has one. */
export const queryMistakes = ({
  errorRatio,
  good,
  bad,
  total,
  events,
}: ObjectiveIndicator): [field: string, message: string][] =>
  Object.entries({ errorRatio, good, bad, total, events }).flatMap(([field, query]) => {
    const mistake = query === undefined ? undefined : queryMistake(query);
    return mistake === undefined ? [] : [[field, mistake]];
  });

function checkQueried(path: string, { target, ...indicator }: QueriedObjective, report: Report): void {
  checkShare(`${path}.target`, target, report);
  for (const { field, message } of objectiveMistakes({ service: "it", target: "99%", indicator }, ""))
    report(`${path}.${field.replace(/^\.indicator\./, "")}`, message.replace(/^[^:]*: /, ""), "see docs/model.md");
  for (const [field, message] of queryMistakes(indicator)) report(`${path}.${field}`, message, "correct the query");
}

function checkObjectives(path: string, service: Service, objectives: Objectives, report: Report): void {
  const { availability, latency = {}, success, window } = objectives;
  const asked = [
    ...(availability === undefined ? [] : ["availability"]),
    ...Object.keys(latency).map((percentile) => at("latency", percentile)),
    ...(typeof success === "string" ? ["success"] : []),
  ];
  if (asked.length === 0 && success === undefined)
    report(path, "promises nothing", 'state one, for example availability: "99.9%"');
  const answers = portsOf(service).some(({ protocol }) => answering.has(protocol));
  if (!answers)
    for (const each of asked)
      report(
        `${path}.${each}`,
        "it has no port for http or grpc, so there are no requests to judge it by",
        "leave it out, or state success with queries: { target, bad, total }",
      );
  if (availability !== undefined) checkShare(`${path}.availability`, availability, report);
  if (typeof success === "string") checkShare(`${path}.success`, success, report);
  else if (success) checkQueried(`${path}.success`, success, report);
  for (const percentile of Object.keys(latency))
    if (!(Number(percentile.slice(1)) > 0))
      report(at(`${path}.latency`, percentile), "promises nothing", 'write for example p95: "300ms"');
  const period = parsePeriod(window ?? "30d") ?? 0;
  if (period < 5 * 60_000 || period > 90 * 86_400_000)
    report(`${path}.window`, `${window} is not between 5 minutes and 90 days`, 'write for example "30d"');
}

/** `environment`: undefined where the app alone is looked at. */
function checkMeasurable(app: App, environment: string | undefined, report: Report): void {
  const stated = environment === undefined ? undefined : app.environments?.[environment]?.telemetry?.metrics;
  const names = metricNames(stated ?? undefined, environment === local ? "flotilla" : "otel");
  for (const [name, { objectives }] of Object.entries(app.services))
    for (const [percentile, threshold] of Object.entries(objectives?.latency ?? {}))
      if (!isMeasurable(names, milliseconds(threshold)))
        report(
          at(`services.${name}.objectives.latency`, percentile),
          `${threshold} is above the last bucket of ${names.histogram}, ${names.bounds.at(-1)}s`,
          `state the buckets that there are: environments.${environment ?? "production"}.telemetry.metrics.buckets`,
        );
}

function checkReceiver(path: string, receiver: AlertReceiver<Names>, report: Report): void {
  const kinds = (["webhook", "alertmanager", "slack"] as const).filter((kind) => receiver[kind]);
  if (kinds.length !== 1)
    report(
      path,
      `states ${kinds.length ? kinds.join(" and ") : "nobody to tell"}`,
      "state exactly one of webhook, alertmanager and slack",
    );
}

function checkTelemetry(app: App, name: string, telemetry: EnvironmentTelemetry<Names>, report: Report): void {
  const path = `environments.${name}.telemetry`;
  const { otlp, prometheus, retention, alerts, rules } = telemetry;
  for (const [kind, stated, field] of [
    ["otlp", otlp, otlp?.endpoint],
    ["prometheus", prometheus, prometheus?.url],
  ] as const) {
    if (stated && !field)
      report(`${path}.${kind}.${kind === "otlp" ? "endpoint" : "url"}`, "is missing", "add it: its address");
    const headers = stated?.headers as { secret: string; key: string } | undefined;
    const keys = headers && app.secrets?.[headers.secret]?.keys;
    if (headers && keys && !keys.includes(headers.key))
      report(
        `${path}.${kind}.headers.key`,
        `secret "${headers.secret}" has no key "${headers.key}"`,
        "add it to its keys",
      );
  }
  const isLocal = name === local;
  if (isLocal && otlp?.protocol === "grpc")
    report(
      `${path}.otlp.protocol`,
      "what is sent on from local goes over HTTP",
      'write "http/protobuf", or leave it out',
    );
  if (isLocal && prometheus)
    report(`${path}.prometheus`, "local keeps its metrics itself", "leave it out, or state it for another environment");
  if (isLocal && rules)
    report(`${path}.rules`, "local judges objectives itself", "leave it out, or state it for another environment");
  if (!isLocal && retention)
    report(`${path}.retention`, "is for environments.local: elsewhere others keep telemetry", "leave it out");
  if (!isLocal && alerts)
    report(`${path}.alerts`, "is for environments.local: elsewhere Alertmanager tells of alerts", "leave it out");
  const names = new Set<string>();
  for (const [i, receiver] of (alerts ?? []).entries()) {
    const place = `${path}.alerts[${i}]`;
    checkReceiver(place, receiver, report);
    const called = receiver.name ?? (receiver.webhook ? "webhook" : receiver.alertmanager ? "alertmanager" : "slack");
    if (names.has(called)) report(`${place}.name`, `there are two receivers "${called}"`, "name one of them");
    names.add(called);
  }
}

/** `there`: the app in its environment. */
export function checkPromises(there: App, environment: string | undefined): Mistake[] {
  const mistakes: Mistake[] = [];
  const report: Report = (path, message, remedy) => mistakes.push({ path, message, remedy });
  for (const [name, service] of Object.entries(there.services))
    if (service.objectives) checkObjectives(`services.${name}.objectives`, service, service.objectives, report);
  checkMeasurable(there, environment, report);
  const telemetry = environment === undefined ? undefined : there.environments?.[environment]?.telemetry;
  if (environment !== undefined && telemetry) checkTelemetry(there, environment, telemetry, report);
  return mistakes;
}
