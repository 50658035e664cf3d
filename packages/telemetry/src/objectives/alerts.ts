/**
 * The alerts of an objective, one for each severity: from what was measured and what was known, what is known now. Pure.
 * An alert fires when one of its policies exceeds in both windows and ends when none does; without data it stays as it is. Where
 * a minimum of bad events is stated, a policy exceeds only with as many in its long window.
 */
import { formatPeriod, type ObjectiveAlert, timeOf } from "@flotilla/objects";
import { type Objective, type Policy, severitiesOf } from "./burn-rate.ts";
import { deciding, exceeds, isScarce, type Measurement } from "./measure.ts";

export interface AlertChange {
  readonly alert: ObjectiveAlert;
  readonly to: "Firing" | "Resolved";
}

type Verdict = "burning" | "scarce" | "calm" | "unknown";

function verdictOf(policy: Policy, objective: Objective, { at, ratios, problem }: Measurement): Verdict {
  if (problem) return "unknown";
  const short = ratios.get(deciding(policy));
  if (short?.value === undefined) return "unknown";
  if (!exceeds(short, policy, objective)) return "calm";
  const long = ratios.get(policy.long);
  if (long?.value === undefined || long.at !== at) return "unknown";
  if (!exceeds(long, policy, objective)) return "calm";
  return isScarce(long, objective) ? "scarce" : "burning";
}

/** "1h/5m" */
const windowsText = ({ long, short }: Policy): string =>
  short === undefined ? formatPeriod(long) : `${formatPeriod(long)}/${formatPeriod(short)}`;

/** Four significant digits. */
export const rounded = (value: number): number => Number(value.toPrecision(4));

const isActive = (alert: ObjectiveAlert | undefined): alert is ObjectiveAlert =>
  alert !== undefined && alert.state !== "Resolved";

function nextAlert(
  severity: string,
  before: ObjectiveAlert | undefined,
  objective: Objective,
  measurement: Measurement,
): ObjectiveAlert | undefined {
  const policies = objective.policies.filter((policy) => policy.severity === severity);
  const verdicts = policies.map((policy) => verdictOf(policy, objective, measurement));
  const burning = policies.filter((_, i) => verdicts[i] === "burning");
  const now = timeOf(new Date(measurement.at));
  if (burning.length > 0) return active(severity, before, burning, objective, measurement);
  if (!isActive(before)) return before;
  if (verdicts.includes("unknown")) {
    const longest = Math.max(...policies.map(({ long }) => long));
    if (measurement.at - Date.parse(before.lastData ?? before.since) <= longest) return before;
    return ended(before, now, `there have been no data for ${formatPeriod(longest)}`);
  }
  return ended(before, now, verdicts.includes("scarce") ? "too few events are bad to judge by" : undefined);
}

/** Of the first policy that would alert if it had as many bad events as it needs: why it does not. */
export function scarcity(objective: Objective, measurement: Measurement): string | undefined {
  const policy = objective.policies.find((each) => verdictOf(each, objective, measurement) === "scarce");
  const { value = 0, bad = 0 } = (policy && measurement.ratios.get(policy.long)) ?? {};
  if (!policy) return undefined;
  const rate = rounded(value / objective.budget);
  return `the error budget burns ${rate} times too fast (${windowsText(policy)}), ${badText(bad, objective)}`;
}

/** "by 2 bad events; it takes 10 to judge by" */
export const badText = (bad: number, { minimumBad }: Objective): string =>
  `by ${Math.round(bad)} bad ${Math.round(bad) === 1 ? "event" : "events"}; it takes ${minimumBad} to judge by`;

function active(
  severity: string,
  before: ObjectiveAlert | undefined,
  burning: readonly Policy[],
  { budget }: Objective,
  { at, ratios }: Measurement,
): ObjectiveAlert {
  const now = timeOf(new Date(at));
  const rates = burning.map(({ long }) => (ratios.get(long)?.value ?? 0) / budget);
  const since = isActive(before) ? before.since : now;
  const fires =
    (isActive(before) && before.state === "Firing") || burning.some(({ hold }) => at - Date.parse(since) >= hold);
  const burnRate = rounded(Math.max(...rates));
  const fastest = burning[rates.indexOf(Math.max(...rates))] as Policy;
  return {
    severity,
    state: fires ? "Firing" : "Pending",
    since,
    ...(fires && { firedAt: (isActive(before) && before.firedAt) || now }),
    windows: burning.map(windowsText),
    burnRate,
    message: `the error budget burns ${burnRate} times too fast (${windowsText(fastest)}; alerts above ${fastest.factor})`,
    lastData: now,
    ...(before?.notified && { notified: before.notified }),
  };
}

/** What was only pending is forgotten. */
function ended(before: ObjectiveAlert, now: string, why: string | undefined): ObjectiveAlert | undefined {
  if (before.state !== "Firing") return undefined;
  const { windows: _, burnRate: __, ...rest } = before;
  return {
    ...rest,
    state: "Resolved",
    resolvedAt: now,
    message: why ?? "the error budget no longer burns too fast",
  };
}

export interface NextAlerts {
  readonly alerts: readonly ObjectiveAlert[];
  /** What fired or ended by this measurement. */
  readonly changes: readonly AlertChange[];
}

/** `before`: as in the status. Alerts of severities that the objective no longer has end. */
export function nextAlerts(
  before: readonly ObjectiveAlert[],
  objective: Objective,
  measurement: Measurement,
): NextAlerts {
  const severities = severitiesOf(objective);
  const now = timeOf(new Date(measurement.at));
  const dropped = before.filter((alert) => isActive(alert) && !severities.includes(alert.severity));
  const alerts = [
    ...severities.map((severity) =>
      nextAlert(
        severity,
        before.find((alert) => alert.severity === severity),
        objective,
        measurement,
      ),
    ),
    ...dropped.map((alert) => ended(alert, now, "the objective no longer has it")),
  ].filter((alert) => alert !== undefined);
  const changes = alerts.flatMap((alert): AlertChange[] => {
    const was = before.find(({ severity }) => severity === alert.severity)?.state;
    if (alert.state === "Firing" && was !== "Firing") return [{ alert, to: "Firing" }];
    return alert.state === "Resolved" && was === "Firing" ? [{ alert, to: "Resolved" }] : [];
  });
  return { alerts, changes };
}
