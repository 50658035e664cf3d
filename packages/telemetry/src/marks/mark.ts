/** Marks on the time axis: log records that are events. What happened to an object, and what was said of one. Pure. */
import type { Event, KubeObject } from "@flotilla/objects";
import { attributesOf } from "../attributes.ts";
import type { LogRecord, LogsData } from "../otlp/types.ts";
import { isBookkeeping, type Json } from "./content.ts";
import { type Difference, differences, lineOf, shown } from "./diff.ts";

export const changeEvent = "flotilla.change";
export const kubernetesEvent = "k8s.event";

/** What is needed of the object that a mark is about. */
export interface Subject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export const subjectOf = ({ apiVersion, kind, metadata }: KubeObject): Subject => ({
  apiVersion,
  kind,
  namespace: metadata.namespace,
  name: metadata.name,
  uid: metadata.uid,
  labels: metadata.labels ?? {},
});

export interface Mark {
  readonly about: Subject;
  readonly record: LogRecord;
}

const info = { severityNumber: 9, severityText: "INFO" };
const warning = { severityNumber: 13, severityText: "WARN" };

const mostLines = 20;
/** What was seen so much later (ms) happened while nobody looked: then its own time counts, which has seconds only. */
const late = 5000;

/**
 * `before`, `after`: the contents (see content.ts), undefined where there was or is no object. Undefined: nothing that matters
 * changed. `now`: ms.
 */
export function changeMark(
  about: Subject,
  { before, after, object, now }: { before?: Json; after?: Json; object?: KubeObject; now: number },
): Mark | undefined {
  const what = before === undefined ? "created" : after === undefined ? "deleted" : "changed";
  const found = what === "changed" ? differences(before, after).sort(bySubstance) : [];
  if (what === "changed" && found.length === 0) return undefined;
  const last = object && lastChange(object);
  const created = Date.parse(object?.metadata.creationTimestamp ?? "");
  const at = what === "created" ? created : (last?.at ?? Number.NaN);
  const lines = what === "changed" ? found.map(lineOf) : [what, ...(after === undefined ? [] : images("", after))];
  return {
    about,
    record: {
      ...times(at, now),
      ...info,
      eventName: changeEvent,
      body: { stringValue: cut(lines).join("\n") },
      attributes: attributesOf({
        ...subjectAttributes(about),
        "flotilla.change.what": what,
        "flotilla.change.who": last?.manager,
        "flotilla.change.fields": found.length > 0 ? cut(found.map(({ path }) => path)).join(", ") : undefined,
      }),
    },
  };
}

/** What runs before how it is labelled, which often only repeats it. */
const bySubstance = (a: Difference, b: Difference): number => Number(isLabel(a)) - Number(isLabel(b));

const isLabel = ({ path }: Difference): boolean => /(?:^|\.)(?:labels|annotations|matchLabels)(?:[.[]|$)/.test(path);

/** `labels`: of the object that the Event is about. */
export function eventMark(event: Event, labels: Readonly<Record<string, string>>, now: number): Mark {
  const { involvedObject, reason, message, type, source, reportingComponent } = event;
  const about: Subject = {
    apiVersion: involvedObject.apiVersion ?? "",
    kind: involvedObject.kind ?? "",
    namespace: involvedObject.namespace ?? event.metadata.namespace,
    name: involvedObject.name ?? "",
    uid: involvedObject.uid,
    labels,
  };
  return {
    about,
    record: {
      ...times(Date.parse(lastTime(event)), now),
      ...(type === "Warning" ? warning : info),
      eventName: kubernetesEvent,
      body: { stringValue: message ?? "" },
      attributes: attributesOf({
        ...subjectAttributes(about),
        "k8s.object.fieldpath": involvedObject.fieldPath,
        "k8s.event.name": event.metadata.name,
        "k8s.event.uid": event.metadata.uid,
        "k8s.event.reason": reason,
        "k8s.event.type": type,
        "k8s.event.count": countOf(event),
        "k8s.event.reporter": reportingComponent || source?.component || undefined,
      }),
    },
  };
}

/** What tells one saying of an Event from the next: how often, and when last. */
export const sayingOf = (event: Event): string => `${countOf(event)} ${lastTime(event)}`;

const countOf = ({ series, count }: Event): number => series?.count ?? count ?? 1;

const lastTime = ({ series, lastTimestamp, eventTime, metadata }: Event): string =>
  series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? "";

/** Of each service one group, as OTLP has it. */
export function marksRequest(marks: readonly Mark[]): LogsData {
  const groups = Map.groupBy(marks, ({ about }) => JSON.stringify(resourceAttributes(about)));
  return {
    resourceLogs: [...groups.values()].map((group) => ({
      resource: { attributes: attributesOf(resourceAttributes((group[0] as Mark).about)) },
      scopeLogs: [{ scope: { name: "flotilla/marks" }, logRecords: group.map(({ record }) => record) }],
    })),
  };
}

function resourceAttributes({ kind, name, namespace, labels }: Subject): Record<string, string | undefined> {
  const isApp = kind === "App";
  return {
    "service.name": labels["app.kubernetes.io/name"] ?? (isApp ? name : undefined),
    "service.namespace": labels["app.kubernetes.io/part-of"] ?? (isApp ? name : undefined),
    "service.version": labels["app.kubernetes.io/version"],
    "k8s.namespace.name": namespace,
    "k8s.pod.name": kind === "Pod" ? name : undefined,
  };
}

const subjectAttributes = ({ apiVersion, kind, namespace, name, uid }: Subject) => ({
  "k8s.object.api_version": apiVersion,
  "k8s.object.kind": kind,
  "k8s.object.namespace": namespace,
  "k8s.object.name": name,
  "k8s.object.uid": uid,
});

/** Who wrote the object last, but for its status and what controllers note in annotations. Source: managedFields of the API's objects. */
function lastChange({ metadata }: KubeObject): { manager: string | undefined; at: number } | undefined {
  let last: { manager: string | undefined; at: number } | undefined;
  for (const { manager, time = "", subresource, fieldsV1 } of metadata.managedFields ?? []) {
    const at = Date.parse(time);
    if (!subresource && !isBookkeeping(fieldsV1) && !(at < (last?.at ?? Number.NEGATIVE_INFINITY)))
      last = { manager, at };
  }
  return last;
}

function times(at: number, now: number): Pick<LogRecord, "timeUnixNano" | "observedTimeUnixNano"> {
  const nanoseconds = (ms: number) => `${BigInt(Math.round(ms)) * 1_000_000n}`;
  return {
    timeUnixNano: nanoseconds(now - at > late ? at : now),
    observedTimeUnixNano: nanoseconds(now),
  };
}

/** What is new is told by what it runs. */
function* images(path: string, value: Json): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    const named = (each as { name?: Json } | null)?.name ?? key;
    const at = Array.isArray(value) ? `${path}[${named}]` : path === "" ? key : `${path}.${key}`;
    if (key === "image" && typeof each === "string") yield `${at}: ${shown(each)}`;
    else yield* images(at, each);
  }
}

const cut = (lines: readonly string[]): string[] =>
  lines.length <= mostLines ? [...lines] : [...lines.slice(0, mostLines), `… and ${lines.length - mostLines} more`];
