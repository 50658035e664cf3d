/**
 * OpenSLO documents as ServiceLevelObjectives. What has no counterpart here is refused by name and place: a document that says
 * something is never taken for one that says less.
 *
 * Source: OpenSLO specification, openslo/v1.
 */
import {
  type BurnRatePolicy,
  dns1123Label,
  formatPeriod,
  isRecord,
  labelValue,
  newObject,
  type ObjectiveIndicator,
  objectiveMistakes,
  type ServiceLevelObjective,
  ServiceLevelObjectives,
} from "@flotilla/objects";
import { QueryError } from "../telemetry.ts";
import { policiesOf } from "./open-slo-alerts.ts";
import {
  amount,
  count,
  isComparison,
  queryMistake,
  raw,
  type Slices,
  slicedRatio,
  threshold,
} from "./open-slo-queries.ts";
import { type OpenSloMistake, Reader } from "./open-slo-reader.ts";

export interface ReadOpenSlo {
  /** Without a namespace; `document` is the index of the one that it was read from. Those with mistakes are not among them. */
  readonly objectives: readonly { readonly document: number; readonly object: ServiceLevelObjective }[];
  readonly mistakes: readonly OpenSloMistake[];
}

export const isOpenSlo = (value: unknown): boolean =>
  isRecord(value) && typeof value.apiVersion === "string" && value.apiVersion.startsWith("openslo/");

/** `documents`: of one or several files, in any order; they refer to each other by name. */
export function readOpenSlo(documents: readonly unknown[]): ReadOpenSlo {
  const reader = new Reader(documents);
  const objectives = reader.ofKind("SLO").flatMap((at) => objectivesOf(reader, at));
  return {
    objectives: objectives
      .filter(({ from }) => !reader.isWrong(from))
      .map(({ from, object }) => ({ document: from.document, object })),
    mistakes: reader.mistakes,
  };
}

type Place = ReturnType<Reader["ofKind"]>[number];

function objectivesOf(reader: Reader, at: Place): { from: Place; object: ServiceLevelObjective }[] {
  const metadata = reader.fields(at.child("metadata"), ["name", "displayName", "labels", "annotations"]);
  const spec = reader.fields(at.child("spec"), [
    "description",
    "service",
    "indicator",
    "indicatorRef",
    "timeWindow",
    "budgetingMethod",
    "objectives",
    "alertPolicies",
  ]);
  const name = reader.text(metadata.at.child("name"));
  if (name && dns1123Label(name).length > 0)
    reader.wrong(
      metadata.at.child("name"),
      `"${name}" is no name in Kubernetes`,
      "use a to z, 0 to 9 and -, at most 63",
    );
  const window = windowOf(reader, spec.at.child("timeWindow"));
  const { policies, labels, resolved } = policiesOf(reader, spec.at.child("alertPolicies"));
  const metric = metricOf(reader, spec.at);
  const items = reader.list(spec.at.child("objectives"));
  if (items.length === 0) reader.wrong(spec.at.child("objectives"), "is empty", "state a target");
  return items.flatMap((item, i) => {
    const promised = promisedBy(reader, item, spec.at, metric);
    if (!promised || !name) return [];
    const description = reader.optionalText(spec.at.child("description"));
    const object = newObject(ServiceLevelObjectives, {
      metadata: {
        name: items.length === 1 ? name : `${name}-${i + 1}`,
        ...metadataOf(reader, metadata.at),
      },
      spec: {
        service: reader.text(spec.at.child("service")) ?? "",
        target: promised.target,
        ...(window && { window }),
        indicator: promised.indicator,
        ...descriptionOf(description, promised.displayName ?? reader.optionalText(metadata.at.child("displayName"))),
        ...(Object.keys(labels).length > 0 && { labels }),
        ...alertingOf(policies, resolved),
      },
    });
    for (const { field, message } of objectiveMistakes(object.spec))
      if (!reader.isWrong(at)) reader.wrong(at, `${field}: ${message}`, "correct it");
    return [{ from: at, object }];
  });
}

const descriptionOf = (description: string | undefined, displayName: string | undefined) => {
  const text = [displayName, description].filter(Boolean).join(": ");
  return text ? { description: text } : {};
};

const alertingOf = (policies: readonly BurnRatePolicy[] | undefined, resolved: boolean) =>
  policies ? { alerting: { policies: [...policies], ...(!resolved && { resolved }) } } : {};

/** Labels may have several values there. */
function metadataOf(reader: Reader, at: Place): Pick<ServiceLevelObjective["metadata"], "labels" | "annotations"> {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(reader.record(at.child("labels")))) {
    const text = Array.isArray(value) ? value.join("_") : String(value);
    if (labelValue(text).length > 0)
      reader.wrong(
        at.child("labels").child(key),
        `"${text}" is no value of a label`,
        "use letters, digits, -, _ and .",
      );
    labels[key] = text;
  }
  const annotations = Object.entries(reader.record(at.child("annotations"))).map(([key, value]) => [
    key,
    String(value),
  ]);
  return {
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(annotations.length > 0 && { annotations: Object.fromEntries(annotations) }),
  };
}

/** Undefined: none is stated. */
function windowOf(reader: Reader, at: Place): string | undefined {
  if (at.value === undefined) return undefined;
  const [first, ...more] = reader.list(at);
  if (!first || more.length > 0) {
    reader.wrong(at, "has not exactly one window", "leave one");
    return undefined;
  }
  const { at: window } = reader.fields(first, ["duration", "isRolling", "calendar"]);
  if (window.child("calendar").value !== undefined || window.child("isRolling").value === false) {
    reader.wrong(window.child("calendar"), "windows of the calendar are not supported", "state isRolling: true");
    return undefined;
  }
  const length = reader.duration(window.child("duration"));
  return length === undefined ? undefined : formatPeriod(length);
}

/** What is measured, before it is known how it is counted. */
type Metric =
  | {
      readonly kind: "ratio";
      readonly good?: string;
      readonly bad?: string;
      readonly total: string;
      readonly events?: string;
    }
  | { readonly kind: "raw"; readonly query: string; readonly isFailure: boolean }
  | { readonly kind: "threshold"; readonly query: string };

function metricOf(reader: Reader, slo: Place): Metric | undefined {
  const inline = slo.child("indicator");
  const reference = slo.child("indicatorRef");
  if ((inline.value === undefined) === (reference.value === undefined)) {
    reader.wrong(slo, "has not exactly one of indicator and indicatorRef", "state one");
    return undefined;
  }
  const sli = inline.value === undefined ? reader.referred(reference, "SLI") : inline;
  if (!sli) return undefined;
  reader.fields(sli, ["apiVersion", "kind", "metadata", "spec"]);
  const { at } = reader.fields(sli.child("spec"), ["description", "thresholdMetric", "ratioMetric"]);
  const ratio = at.child("ratioMetric");
  const value = at.child("thresholdMetric");
  if ((ratio.value === undefined) === (value.value === undefined)) {
    reader.wrong(at, "has not exactly one of ratioMetric and thresholdMetric", "state one");
    return undefined;
  }
  if (ratio.value === undefined) {
    const query = queryOf(reader, value);
    return query === undefined ? undefined : { kind: "threshold", query };
  }
  return ratioOf(reader, ratio);
}

function ratioOf(reader: Reader, at: Place): Metric | undefined {
  reader.fields(at, ["counter", "good", "bad", "total", "rawType", "raw"]);
  if (at.child("raw").value !== undefined) {
    const type = at.child("rawType").value;
    for (const each of ["good", "bad", "total"])
      if (at.child(each).value !== undefined) reader.wrong(at.child(each), "is stated beside raw", "leave it out");
    if (type !== "success" && type !== "failure")
      reader.wrong(at.child("rawType"), "is neither success nor failure", "state one");
    const query = queryOf(reader, at.child("raw"));
    return query === undefined ? undefined : { kind: "raw", query, isFailure: type === "failure" };
  }
  const [good, bad] = [at.child("good"), at.child("bad")];
  if ((good.value === undefined) === (bad.value === undefined)) {
    reader.wrong(at, "has not exactly one of good and bad", "state one, beside total");
    return undefined;
  }
  const side = good.value === undefined ? bad : good;
  const counter = at.child("counter").value !== false;
  const counted = amountOf(reader, side, counter);
  const total = amountOf(reader, at.child("total"), counter);
  if (counted === undefined || total === undefined) return undefined;
  const events = counter ? count(String(queryAt(at.child("total")).value)) : undefined;
  return { kind: "ratio", total, ...(events && { events }), ...(side === good ? { good: counted } : { bad: counted }) };
}

function amountOf(reader: Reader, at: Place, counter: boolean): string | undefined {
  const query = queryOf(reader, at);
  if (query === undefined) return undefined;
  return guarded(reader, at, () => {
    const text = amount(query, counter);
    const mistake = queryMistake(text);
    if (mistake) throw new QueryError(mistake);
    return text;
  });
}

function guarded<T>(reader: Reader, at: Place, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    reader.wrong(queryAt(at), error.message, "correct the query");
    return undefined;
  }
}

const queryAt = (at: Place): Place => at.child("metricSource").child("spec").child("query");

/** Which server is asked is the environment's matter, so connections are refused. */
function queryOf(reader: Reader, at: Place): string | undefined {
  reader.fields(at, ["metricSource"]);
  const source = at.child("metricSource");
  reader.fields(source, ["metricSourceRef", "type", "spec"]);
  const reference = source.child("metricSourceRef");
  const declared = reference.value === undefined ? undefined : reader.dataSource(reference);
  const type = source.child("type").value ?? declared;
  if (typeof type !== "string" || type.toLowerCase() !== "prometheus")
    reader.wrong(source.child("type"), `${JSON.stringify(type ?? null)} is not supported`, 'only "Prometheus" is');
  reader.fields(source.child("spec"), ["query"]);
  return reader.text(source.child("spec").child("query"));
}

interface Promised {
  readonly target: string;
  readonly indicator: ObjectiveIndicator;
  readonly displayName: string | undefined;
}

function promisedBy(reader: Reader, at: Place, slo: Place, metric: Metric | undefined): Promised | undefined {
  reader.fields(at, ["displayName", "op", "value", "target", "targetPercent", "timeSliceTarget", "timeSliceWindow"]);
  const target = targetOf(reader, at);
  const slices = slicesOf(reader, at, slo.child("budgetingMethod"));
  if (target === undefined || slices === "wrong" || metric === undefined) return undefined;
  const indicator = indicatorOf(reader, at, metric, slices);
  return indicator && { target, indicator, displayName: reader.optionalText(at.child("displayName")) };
}

/** Digits as they were written: 0.9995 is "99.95%". */
function targetOf(reader: Reader, at: Place): string | undefined {
  const [part, percent] = [at.child("target"), at.child("targetPercent")];
  if ((part.value === undefined) === (percent.value === undefined)) {
    reader.wrong(at, "has not exactly one of target and targetPercent", "state one");
    return undefined;
  }
  const stated = part.value === undefined ? percent : part;
  const value = reader.number(stated);
  if (value === undefined) return undefined;
  const share = Number((stated === part ? value * 100 : value).toPrecision(12));
  if (share > 0 && share < 100) return `${share}%`;
  reader.wrong(
    stated,
    `${value} promises ${share <= 0 ? "nothing" : "everything, which leaves no budget"}`,
    "state less",
  );
  return undefined;
}

function slicesOf(reader: Reader, at: Place, method: Place): Slices | undefined | "wrong" {
  const known = ["Occurrences", "Timeslices", "RatioTimeslices"];
  if (typeof method.value !== "string" || !known.includes(method.value)) {
    reader.wrong(method, `${JSON.stringify(method.value ?? null)} is no method`, `there are ${known.join(", ")}`);
    return "wrong";
  }
  const [target, window] = [at.child("timeSliceTarget"), at.child("timeSliceWindow")];
  if (method.value === "Occurrences") {
    for (const each of [target, window])
      if (each.value !== undefined) reader.wrong(each, "is for time slices", "leave it out, or change budgetingMethod");
    return undefined;
  }
  // A number without a unit is minutes.
  const length = typeof window.value === "number" ? window.value * 60_000 : reader.duration(window);
  if (method.value === "RatioTimeslices") return length ? { length: formatPeriod(length), target: undefined } : "wrong";
  const share = reader.number(target);
  return length && share !== undefined ? { length: formatPeriod(length), target: share } : "wrong";
}

function indicatorOf(
  reader: Reader,
  at: Place,
  metric: Metric,
  slices: Slices | undefined,
): ObjectiveIndicator | undefined {
  const [op, value] = [at.child("op"), at.child("value")];
  if (metric.kind === "threshold") {
    const limit = reader.number(value);
    if (!isComparison(op.value)) {
      reader.wrong(op, `${JSON.stringify(op.value ?? null)} is no comparison`, "there are lt, lte, gt, gte");
      return undefined;
    }
    const mistake = queryMistake(metric.query);
    if (mistake) reader.wrong(at, `the query of the indicator: ${mistake}`, "correct it");
    return limit === undefined || mistake ? undefined : threshold(metric.query, op.value, limit, slices);
  }
  if (value.value !== undefined) reader.wrong(value, "is for a thresholdMetric", "leave it out");
  if (metric.kind === "raw") {
    if (slices) {
      reader.wrong(at, "time slices of a raw ratio are not supported", "state budgetingMethod: Occurrences");
      return undefined;
    }
    const mistake = queryMistake(metric.query);
    if (mistake) reader.wrong(at, `the query of the indicator: ${mistake}`, "correct it");
    return raw(metric.query, metric.isFailure);
  }
  const { kind: _, events, ...queries } = metric;
  return slices ? slicedRatio(queries, slices) : { ...queries, ...(events && { events }) };
}
