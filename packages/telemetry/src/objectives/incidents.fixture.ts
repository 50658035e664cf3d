/** Incidents in simulated time: a service whose share of errors is known, and what an objective says of it at each tick. */
import {
  newObject,
  type ServiceLevelObjective,
  type ServiceLevelObjectiveSpec,
  ServiceLevelObjectives,
} from "@flotilla/objects";
import type { SeriesSource } from "../metrics/series.ts";
import type { Telemetry } from "../telemetry.ts";
import { nextAlerts } from "./alerts.ts";
import { objectiveOf } from "./burn-rate.ts";
import { type Measurement, measure } from "./measure.ts";
import { objectiveStatus } from "./objective-status.ts";

/** From `from` to `to` (s), `ratio` of all requests fail. */
export interface Incident {
  readonly from: number;
  readonly to: number;
  readonly ratio: number;
}

/** The same number of requests at any time: so many a second. */
const usualTraffic = 100;

export const start = Date.UTC(2026, 0, 1);
/** How often objectives are evaluated, s. */
export const interval = 15;

/** Errors (s of total outage) until `second`. */
const errorsUntil = (incidents: readonly Incident[], second: number): number =>
  incidents.reduce((sum, { from, to, ratio }) => sum + ratio * Math.max(0, Math.min(second, to) - from), 0);

const seconds: Readonly<Record<string, number>> = { d: 86_400, h: 3600, m: 60, s: 1 };

/** "1d2h" */
const lengthOf = (period: string): number =>
  [...period.matchAll(/(\d+)([dhms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (seconds[unit ?? ""] ?? Number.NaN),
    0,
  );

/** Answers `errors[RANGE]`, their share, and `requests[RANGE]`, their number, with what really was, to the last digit. */
export const exactly = (incidents: readonly Incident[], traffic = usualTraffic): Pick<Telemetry, "instant"> => ({
  async instant(query, at) {
    const [, name, range] = /^(errors|requests)\[(\w+)\]$/.exec(query) ?? [];
    if (!range) throw new Error(`only errors[...] and requests[...] are known, not ${query}`);
    const now = (at - start) / 1000;
    const length = lengthOf(range);
    const share = (errorsUntil(incidents, now) - errorsUntil(incidents, now - length)) / length;
    const value = name === "errors" ? share : traffic * length;
    return { resultType: "vector", result: [{ metric: {}, value: [at / 1000, String(value)] }] };
  },
});

/** Two counters with a sample at every tick, since three days before the start. */
export function counters(incidents: readonly Incident[], until: number, rate = usualTraffic): SeriesSource {
  const history = 3 * 86_400;
  const count = (history + until) / interval + 1;
  const seconds = Array.from({ length: count }, (_, i) => i * interval - history);
  const times = Float64Array.from(seconds, (second) => start + second * 1000);
  const series = [
    {
      labels: { __name__: "requests_total" },
      values: Float64Array.from(seconds, (second) => rate * (second + history)),
    },
    {
      labels: { __name__: "errors_total" },
      values: Float64Array.from(seconds, (second) => rate * errorsUntil(incidents, second)),
    },
  ];
  const select: SeriesSource["select"] = (matchers, { from, to }) => {
    const [first, last] = [indexOf(from), indexOf(to + 1)];
    return series
      .filter(({ labels }) => matchers.every(({ name, value }) => name === "__name__" && labels.__name__ === value))
      .map(({ labels, values }) => ({
        labels,
        times: times.subarray(first, last),
        values: values.subarray(first, last),
        ends: [],
      }));
  };
  /** Of the first sample that is not before `time`. */
  const indexOf = (time: number) =>
    Math.max(0, Math.min(count, Math.ceil((time - (times[0] ?? 0)) / (interval * 1000))));
  return { select, series: () => [], metadata: () => new Map() };
}

/** What `counters` are asked by. */
export const countersIndicator = {
  bad: "sum(rate(errors_total[$window]))",
  total: "sum(rate(requests_total[$window]))",
  events: "sum(increase(requests_total[$window]))",
};

export const objectiveFor = (spec: Partial<ServiceLevelObjectiveSpec> = {}): ServiceLevelObjective =>
  newObject(ServiceLevelObjectives, {
    metadata: { name: "web", namespace: "shop", uid: "uid-web", resourceVersion: "1", generation: 1 },
    spec: {
      service: "web",
      target: "99.9%",
      indicator: { errorRatio: "errors[$window]", events: "requests[$window]" },
      ...spec,
    },
  });

export interface Told {
  readonly severity: string;
  readonly to: "Firing" | "Resolved";
  /** Seconds since the start. */
  readonly at: number;
}

/** Evaluates at every tick until `until` (s); what changed, and the objective as it then is. */
export async function evaluated(
  object: ServiceLevelObjective,
  telemetry: Pick<Telemetry, "instant">,
  until: number,
): Promise<{ told: Told[]; object: ServiceLevelObjective }> {
  const told: Told[] = [];
  const objective = objectiveOf(object.spec);
  let seen = object;
  let before: Measurement | undefined;
  for (let second = 0; second <= until; second += interval) {
    const measurement = await measure(object.spec, telemetry, { at: start + second * 1000, generation: 1, before });
    before = measurement;
    const { alerts, changes } = nextAlerts(seen.status?.alerts ?? [], objective, measurement);
    for (const { alert, to } of changes) told.push({ severity: alert.severity, to, at: second });
    seen = { ...seen, status: objectiveStatus(seen, objective, measurement, alerts) };
  }
  return { told, object: seen };
}
