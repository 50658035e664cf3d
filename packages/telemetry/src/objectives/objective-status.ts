/** What the status of an objective says of a measurement: budget, burn rates, conditions. Pure. */
import {
  type Condition,
  type ErrorBudget,
  formatPeriod,
  type ObjectiveAlert,
  type ServiceLevelObjective,
  type ServiceLevelObjectiveStatus,
  setCondition,
  timeOf,
} from "@flotilla/objects";
import { badText, rounded, scarcity } from "./alerts.ts";
import { type Objective, windowsOf } from "./burn-rate.ts";
import { isScarce, type Measurement } from "./measure.ts";

export type Said = Pick<Condition, "type" | "status" | "reason" | "message">;

const signed = (milliseconds: number): string =>
  milliseconds < 0 ? `-${formatPeriod(wholeSeconds(-milliseconds))}` : formatPeriod(wholeSeconds(milliseconds));
const wholeSeconds = (milliseconds: number) => Math.round(milliseconds / 1000) * 1000;

/** Undefined as long as nothing is known of the objective's window. */
export function errorBudget({ budget, period }: Objective, { ratios }: Measurement): ErrorBudget | undefined {
  const spent = ratios.get(period);
  if (spent?.value === undefined || spent.idle) return undefined;
  const remaining = 1 - spent.value / budget;
  const time = budget * period;
  return {
    ratio: budget,
    time: signed(time),
    remaining: rounded(remaining),
    remainingTime: signed(remaining * time),
  };
}

function burnRates(objective: Objective, { ratios }: Measurement): Record<string, number> | undefined {
  const known = windowsOf(objective).flatMap((window) => {
    const value = ratios.get(window)?.value;
    return value === undefined ? [] : [[formatPeriod(window), rounded(value / objective.budget)] as const];
  });
  return known.length > 0 ? Object.fromEntries(known) : undefined;
}

/** "99.95%", of as many digits as tell something. */
const percent = (share: number): string => `${Number((share * 100).toPrecision(6))}%`;

/** What is good, with three digits of what is not: "99.9543%", "46.9%". */
function goodText(bad: number): string {
  const decimals = bad > 0 ? Math.max(0, 2 - Math.floor(Math.log10(bad * 100))) : 0;
  return `${Number((100 - bad * 100).toFixed(Math.min(6, decimals)))}%`;
}

export const capitalized = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** "78.57% of the error budget is left (2m21s of 3m0s)" */
export function budgetText({ remaining, remainingTime, time }: ErrorBudget): string {
  if (remaining > 0) return `${percent(remaining)} of the error budget is left (${remainingTime} of ${time})`;
  return `the error budget of ${time} is spent ${Number((1 - remaining).toPrecision(3))} times`;
}

function conditionsOf(
  objective: Objective,
  measurement: Measurement,
  budget: ErrorBudget | undefined,
  alerts: readonly ObjectiveAlert[],
): Said[] {
  const firing = alerts.filter(({ state }) => state === "Firing");
  const scarce = scarcity(objective, measurement);
  const alerting: Said =
    firing.length > 0
      ? {
          type: "Alerting",
          status: "True",
          reason: capitalized(firing[0]?.severity ?? ""),
          message: firing.map(({ severity, message }) => `${severity}: ${message}`).join("; "),
        }
      : scarce === undefined
        ? { type: "Alerting", status: "False", reason: "NoAlert", message: "no alert fires" }
        : { type: "Alerting", status: "False", reason: "TooFewEvents", message: scarce };
  const { problem } = measurement;
  if (problem) {
    const unknown = { status: "Unknown", reason: problem.reason, message: problem.message } as const;
    return [
      { ...unknown, type: "Evaluated", status: "False" },
      { ...unknown, type: "BudgetExhausted" },
      firing.length > 0 ? alerting : { ...unknown, type: "Alerting" },
      { ...unknown, type: "Healthy" },
    ];
  }
  if (!budget) {
    const idle = measurement.ratios.get(objective.period)?.idle;
    const message = idle
      ? `nothing was asked of it in ${formatPeriod(objective.period)}`
      : "its queries give no series: either nothing was asked of it yet, or nobody measures it";
    const unknown = { status: "Unknown", reason: "NoData", message } as const;
    return [
      { ...unknown, type: "Evaluated", status: idle ? "True" : "False" },
      { ...unknown, type: "BudgetExhausted" },
      firing.length > 0 ? alerting : { ...unknown, type: "Alerting" },
      { ...unknown, type: "Healthy" },
    ];
  }
  const spent = measurement.ratios.get(objective.period);
  const isDoubtful = spent !== undefined && isScarce(spent, objective);
  const exhausted = budget.remaining <= 0 && !isDoubtful;
  const left = isDoubtful ? `${budgetText(budget)}, ${badText(spent.bad ?? 0, objective)}` : budgetText(budget);
  const healthy: Said = exhausted
    ? { type: "Healthy", status: "False", reason: "BudgetExhausted", message: left }
    : firing.length > 0
      ? { ...alerting, type: "Healthy", status: "False", reason: "Alerting" }
      : isDoubtful
        ? { type: "Healthy", status: "Unknown", reason: "TooFewEvents", message: left }
        : { type: "Healthy", status: "True", reason: "WithinBudget", message: left };
  return [
    { type: "Evaluated", status: "True", reason: "Evaluated", message: "there are data" },
    isDoubtful
      ? { type: "BudgetExhausted", status: "Unknown", reason: "TooFewEvents", message: left }
      : {
          type: "BudgetExhausted",
          status: exhausted ? "True" : "False",
          reason: exhausted ? "BudgetExhausted" : "WithinBudget",
          message: left,
        },
    alerting,
    healthy,
  ];
}

function withConditions(object: ServiceLevelObjective, said: readonly Said[], now: Date): Condition[] {
  const { generation: observedGeneration } = object.metadata;
  return said.reduce<Condition[]>(
    (conditions, each) => setCondition<Condition>(conditions, { ...each, observedGeneration }, now),
    object.status?.conditions ?? [],
  );
}

export function objectiveStatus(
  object: ServiceLevelObjective,
  objective: Objective,
  measurement: Measurement,
  alerts: readonly ObjectiveAlert[],
  more: readonly Said[] = [],
): ServiceLevelObjectiveStatus {
  const budget = errorBudget(objective, measurement);
  const spent = measurement.ratios.get(objective.period);
  const rates = burnRates(objective, measurement);
  const at = new Date(measurement.at);
  return {
    observedGeneration: object.metadata.generation,
    lastEvaluated: timeOf(at),
    ...(budget && { current: goodText(spent?.value ?? 0), errorBudget: budget }),
    ...(rates && { burnRates: rates }),
    conditions: withConditions(object, [...conditionsOf(objective, measurement, budget, alerts), ...more], at),
    ...(alerts.length > 0 && { alerts: [...alerts] }),
  };
}

/** Of a spec that cannot be evaluated; alerts that were active stay visible. */
export function invalidStatus(
  object: ServiceLevelObjective,
  mistakes: readonly string[],
  now: Date,
): ServiceLevelObjectiveStatus {
  const message = mistakes.join("; ");
  const unknown = { status: "Unknown", reason: "InvalidSpec", message } as const;
  return {
    ...object.status,
    observedGeneration: object.metadata.generation,
    conditions: withConditions(
      object,
      [
        { ...unknown, type: "Evaluated", status: "False" },
        { ...unknown, type: "Healthy" },
      ],
      now,
    ),
  };
}

/** How long the figures of a status may be older than the last measurement: each write of one wakes everybody who watches. */
const figuresAge = 30_000;

/** Whether `next` says something that people or tools wait for, or its figures have grown old. */
export function isWorthWriting(
  before: ServiceLevelObjectiveStatus | undefined,
  next: ServiceLevelObjectiveStatus,
): boolean {
  if (!before?.lastEvaluated || !next.lastEvaluated) return true;
  if (Date.parse(next.lastEvaluated) - Date.parse(before.lastEvaluated) >= figuresAge) return true;
  return JSON.stringify(essence(before)) !== JSON.stringify(essence(next));
}

const essence = ({ observedGeneration, conditions = [], alerts = [] }: ServiceLevelObjectiveStatus) => [
  observedGeneration,
  conditions.map(({ type, status, reason }) => [type, status, reason]),
  alerts.map(({ severity, state, firedAt, notified }) => [
    severity,
    state,
    firedAt,
    Object.entries(notified ?? {}).map(([name, notice]) => [name, notice.state, notice.at]),
  ]),
];
