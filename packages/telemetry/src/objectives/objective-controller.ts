/**
 * Measures each ServiceLevelObjective at an interval, says in its status what came of it, and tells of alerts by Events, marks
 * and receivers. It decides only; measuring and delivering are effects whose outcome are sources.
 */
import { type Controller, type Decision, type Effect, type EventNote, event, status, watch } from "@flotilla/client";
import {
  getCondition,
  isDeleted,
  objectiveMistakes,
  type Resource,
  type ServiceLevelObjective,
  ServiceLevelObjectives,
} from "@flotilla/objects";
import { alertMarks, markName } from "./alert-mark.ts";
import { type AlertChange, nextAlerts } from "./alerts.ts";
import { objectiveOf } from "./burn-rate.ts";
import { type AlertDeliveries, notifyName } from "./deliveries.ts";
import type { Measurement } from "./measure.ts";
import { idOf, type Measurements, measureName } from "./measurements.ts";
import { type Deliveries, notificationsOf, notifiedCondition, withNotices } from "./notification.ts";
import { invalidStatus, isWorthWriting, objectiveStatus, type Said } from "./objective-status.ts";

interface Observed {
  readonly object: ServiceLevelObjective;
  readonly measurement: Measurement | undefined;
  readonly deliveries: Deliveries;
}

export interface ObjectiveFacts {
  readonly measurements: Pick<Measurements, "source">;
  readonly deliveries: Pick<AlertDeliveries, "source">;
  /** Milliseconds between two measurements of one objective. */
  readonly interval: number;
}

const toldOf = (object: ServiceLevelObjective, { alert, to }: AlertChange): EventNote => {
  const severity = alert.severity;
  return to === "Firing"
    ? event(object, "Warning", "AlertFiring", `${severity}: ${alert.message ?? ""}`)
    : event(object, "Normal", "AlertResolved", `${severity}: ${alert.message ?? ""}`);
};

/** When it begins that a receiver cannot be told. */
function undelivered(object: ServiceLevelObjective, notified: Said | undefined): EventNote[] {
  const known = getCondition(object.status?.conditions, "Notified");
  if (notified?.status !== "False" || known?.status === "False") return [];
  return [event(object, "Warning", "AlertNotDelivered", notified.message ?? "")];
}

function decided(observed: Observed, interval: number, now: number): Decision {
  const { object, measurement, deliveries } = observed;
  const mistakes = objectiveMistakes(object.spec);
  if (mistakes.length > 0) {
    const said = mistakes.map(({ field, message }) => `${field}: ${message}`);
    return { writes: [status(object, invalidStatus(object, said, new Date(now)), ServiceLevelObjectives)] };
  }
  const { generation = 1 } = object.metadata;
  const current = measurement?.generation === generation ? measurement : undefined;
  const measuredIn = current ? current.at + interval - now : 0;
  const measuring: Effect[] = measuredIn <= 0 ? [{ to: measureName, do: object }] : [];
  if (!current) return { effects: measuring };

  const objective = objectiveOf(object.spec);
  const { alerts, changes } = nextAlerts(object.status?.alerts ?? [], objective, current);
  const noticed = alerts.map((alert) => withNotices(alert, object, deliveries));
  const notified = notifiedCondition(object, deliveries);
  const next = objectiveStatus(object, objective, current, noticed, notified ? [notified] : []);
  const seen: ServiceLevelObjective = { ...object, status: next };
  const { due, next: dueNext } = notificationsOf(seen, deliveries, now);
  const marks = changes.length > 0 ? [{ to: markName, do: alertMarks(seen, changes, current.at) }] : [];
  return {
    writes: isWorthWriting(object.status, next) ? [status(object, next, ServiceLevelObjectives)] : [],
    // Marks last: they can fail, and what follows a failure is skipped.
    effects: [...due.map((notification) => ({ to: notifyName, do: notification })), ...measuring, ...marks],
    events: [...changes.map((change) => toldOf(seen, change)), ...undelivered(object, notified)],
    lookAgainIn: Math.max(0, Math.min(measuredIn > 0 ? measuredIn : interval, (dueNext ?? now + interval) - now)),
  };
}

export const objectiveController = ({ measurements, deliveries, interval }: ObjectiveFacts): Controller<Observed> => ({
  name: "objectives",
  watches: [watch(ServiceLevelObjectives as Resource)],
  sources: [measurements.source, deliveries.source],

  observe(key, cache) {
    const object = cache.get(ServiceLevelObjectives, key);
    if (!object || isDeleted(object)) return undefined;
    const id = idOf(object);
    return {
      object,
      measurement: cache.source(measurements.source, id)?.value,
      deliveries: cache.source(deliveries.source, id)?.value ?? {},
    };
  },

  decide(observed, { now, failedEffects = [] }) {
    const decision = decided(observed, interval, now.getTime());
    // A mark is decided once, with the change; where it could not be kept it is tried again.
    const again = failedEffects.filter(({ effect }) => effect.to === markName).map(({ effect }) => effect);
    return { ...decision, effects: [...(decision.effects ?? []), ...again] };
  },
});
