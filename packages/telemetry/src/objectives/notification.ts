/**
 * When receivers are told of alerts, and what: a change at once, what goes on again after a while, what could not be delivered
 * again with growing delay. Pure; `deliveries.ts` carries it out.
 */
import {
  type ObjectiveAlert,
  type ObjectiveNotice,
  type ObjectiveReceiver,
  parsePeriod,
  receiverName,
  type ServiceLevelObjective,
} from "@flotilla/objects";
import { idOf } from "./measurements.ts";
import { budgetText, capitalized, type Said } from "./objective-status.ts";

/** What one receiver is to be told of one alert. Times as in Kubernetes. */
export interface Notification {
  /** Of the objective, by which its deliveries are known. */
  readonly objective: string;
  readonly namespace: string;
  readonly receiver: ObjectiveReceiver;
  readonly state: "Firing" | "Resolved";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt?: string;
}

/** What is known of deliveries of one alert to one receiver. */
export interface Delivery {
  /** The last that arrived, ms since the epoch. */
  readonly told?: { readonly state: "Firing" | "Resolved"; readonly at: number };
  /** Tries in a row that failed since. */
  readonly failures: number;
  readonly failedAt?: number;
  readonly message?: string;
  /** Trying again is pointless: the receiver refused it. */
  readonly refused?: boolean;
}

/** By `${severity} ${receiver}`. */
export type Deliveries = Readonly<Record<string, Delivery>>;

export const deliveryKey = (severity: string, receiver: ObjectiveReceiver): string =>
  `${severity} ${receiverName(receiver)}`;

export const alertName = "ErrorBudgetBurn";

/** As Alertmanager's defaults have it: group_interval, repeat_interval. */
const changesApart = 5 * 60_000;
const repeatedAfter = 4 * 3_600_000;
/** An Alertmanager forgets what it does not hear of again: resolve_timeout is 5 minutes, and Prometheus repeats each minute. */
const alertmanagerRepeat = 60_000;

const firstRetry = 10_000;
const longestRetry = 5 * 60_000;
/** After about an hour and a half the alert itself is stale; the next change or repeat is tried anew. */
const mostFailures = 20;

const retryAfter = (failures: number): number => Math.min(longestRetry, firstRetry * 2 ** (failures - 1));

function repeat({ alertmanager }: ObjectiveReceiver, object: ServiceLevelObjective): number {
  if (alertmanager) return alertmanagerRepeat;
  return parsePeriod(object.spec.alerting?.repeat ?? "") ?? repeatedAfter;
}

/** The later of what the status says and what was delivered since. */
function lastTold(notice: ObjectiveNotice | undefined, delivery: Delivery | undefined): Delivery["told"] {
  const noticed = notice && { state: notice.state, at: Date.parse(notice.at) };
  const { told } = delivery ?? {};
  if (!noticed || !told) return noticed ?? told;
  return told.at >= noticed.at ? told : noticed;
}

/** When (ms) a receiver is to be told next of an alert as it is; undefined: not unless it changes. */
function dueAt(
  alert: ObjectiveAlert,
  receiver: ObjectiveReceiver,
  object: ServiceLevelObjective,
  delivery: Delivery | undefined,
): number | undefined {
  if (alert.state === "Pending") return undefined;
  const told = lastTold(alert.notified?.[receiverName(receiver)], delivery);
  if (alert.state === "Resolved" && told?.state !== "Firing") return undefined;
  // An Alertmanager has to know, and has its own say in who else does.
  if (alert.state === "Resolved" && object.spec.alerting?.resolved === false && !receiver.alertmanager)
    return undefined;
  const first = Date.parse((alert.state === "Firing" ? alert.firedAt : alert.resolvedAt) ?? alert.since);
  const regular =
    told === undefined
      ? first
      : told.state === alert.state
        ? told.at + repeat(receiver, object)
        : Math.max(first, told.at + (receiver.alertmanager ? 0 : changesApart));
  const { failures = 0, failedAt = 0, refused } = delivery ?? {};
  if (failures === 0) return regular;
  const givenUp = refused || failures >= mostFailures;
  return Math.max(regular, failedAt + (givenUp ? repeat(receiver, object) : retryAfter(failures)));
}

export function labelsOf(object: ServiceLevelObjective, severity: string): Record<string, string> {
  const { metadata, spec } = object;
  const app = metadata.labels?.["app.kubernetes.io/part-of"];
  return {
    ...spec.labels,
    alertname: alertName,
    severity,
    slo: metadata.name,
    service: spec.service,
    ...(app && { app }),
    ...(metadata.namespace && { namespace: metadata.namespace }),
  };
}

/** "web-availability: the error budget burns 16.2 times too fast": what a pager shows. */
export const summaryOf = ({ metadata }: ServiceLevelObjective, { message }: ObjectiveAlert): string =>
  `${metadata.name}: ${message ?? "the error budget burns too fast"}`;

function annotationsOf(object: ServiceLevelObjective, alert: ObjectiveAlert): Record<string, string> {
  const { spec, status } = object;
  const left = status?.errorBudget;
  return {
    summary: summaryOf(object, alert),
    description: [
      spec.description,
      `Objective: ${spec.target} over ${spec.window ?? "30d"}.`,
      left && `${capitalized(budgetText(left))}.`,
    ]
      .filter(Boolean)
      .join(" "),
    ...(spec.runbook && { runbook_url: spec.runbook }),
  };
}

const concerns = ({ severities }: ObjectiveReceiver, { severity }: ObjectiveAlert): boolean =>
  severities === undefined || severities.includes(severity);

export interface Notifications {
  readonly due: readonly Notification[];
  /** When (ms) the next one will be due. */
  readonly next: number | undefined;
}

/** `object`: with its status as it now is. */
export function notificationsOf(object: ServiceLevelObjective, deliveries: Deliveries, now: number): Notifications {
  const due: Notification[] = [];
  let next: number | undefined;
  for (const alert of object.status?.alerts ?? []) {
    for (const receiver of object.spec.alerting?.notify ?? []) {
      if (!concerns(receiver, alert)) continue;
      const at = dueAt(alert, receiver, object, deliveries[deliveryKey(alert.severity, receiver)]);
      if (at === undefined) continue;
      if (at > now) next = Math.min(next ?? at, at);
      else
        due.push({
          objective: idOf(object),
          namespace: object.metadata.namespace ?? "",
          receiver,
          state: alert.state === "Resolved" ? "Resolved" : "Firing",
          labels: labelsOf(object, alert.severity),
          annotations: annotationsOf(object, alert),
          startsAt: alert.firedAt ?? alert.since,
          ...(alert.state === "Resolved" && { endsAt: alert.resolvedAt ?? alert.since }),
        });
    }
  }
  return { due, next };
}

/** How much older the status may be than the last delivery: an Alertmanager is told each minute. */
const noticeAge = 3_600_000;

/** The alert with what its receivers have been told, as a restart must know it. */
export function withNotices(
  alert: ObjectiveAlert,
  object: ServiceLevelObjective,
  deliveries: Deliveries,
): ObjectiveAlert {
  const notified = { ...alert.notified };
  for (const receiver of object.spec.alerting?.notify ?? []) {
    const name = receiverName(receiver);
    const told = deliveries[deliveryKey(alert.severity, receiver)]?.told;
    if (!told) continue;
    const known = notified[name];
    if (known?.state === told.state && told.at - Date.parse(known.at) < (receiver.alertmanager ? noticeAge : 1000))
      continue;
    if (known && told.at < Date.parse(known.at)) continue;
    notified[name] = { state: told.state, at: `${new Date(told.at).toISOString().slice(0, 19)}Z` };
  }
  return Object.keys(notified).length > 0 ? { ...alert, notified } : alert;
}

/** Whether the receivers of active alerts know of them; undefined: there was nothing to tell since the start. */
export function notifiedCondition(object: ServiceLevelObjective, deliveries: Deliveries): Said | undefined {
  const receivers = object.spec.alerting?.notify ?? [];
  const names = new Map(
    (object.status?.alerts ?? []).flatMap(({ severity }) =>
      receivers.map((receiver) => [deliveryKey(severity, receiver), { severity, name: receiverName(receiver) }]),
    ),
  );
  const tried = Object.entries(deliveries).filter(([key]) => names.has(key));
  if (tried.length === 0) return undefined;
  const failing = tried.flatMap(([key, { failures, message }]) =>
    failures > 0 ? [`${names.get(key)?.name} was not told of ${names.get(key)?.severity}: ${message}`] : [],
  );
  return failing.length > 0
    ? { type: "Notified", status: "False", reason: "NotDelivered", message: failing.join("; ") }
    : { type: "Notified", status: "True", reason: "Delivered", message: "all receivers were told" };
}
