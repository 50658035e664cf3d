/**
 * Objectives as Prometheus' rules: error ratios recorded for each window, what is left of the budget, and the same burn-rate alerts
 * that the controller decides, for clusters whose own Prometheus and Alertmanager are to do it.
 *
 * A minimum of bad events is one more condition of the alerts.
 *
 * Source: the names of recorded series are Sloth's (slo:sli_error:ratio_rate<window>, slo:period_error_budget_remaining:ratio).
 */
import { defaultObjectiveWindow, formatPeriod, type ServiceLevelObjective } from "@flotilla/objects";
import { type Objective, objectiveOf, type Policy, windowsOf } from "./burn-rate.ts";
import { errorRatioExpression, inWindow } from "./indicator.ts";
import { alertName, labelsOf } from "./notification.ts";

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuleGroup {
  readonly name: string;
  readonly interval?: string;
  readonly rules: readonly (RecordingRule | AlertingRule)[];
}

/** The content of a rule file, and the spec of a PrometheusRule. */
export interface RuleFile {
  readonly groups: readonly RuleGroup[];
}

/** A range of a month is dear, and moves slowly. */
const budgetInterval = "5m";
/** An objective that nobody measures is found out, but not before its first requests can have come. */
const noDataFor = "1h";

const number = (value: number): string => String(Number(value.toPrecision(12)));

const recorded = (window: number): string => `slo:sli_error:ratio_rate${formatPeriod(window)}`;
const counted = (window: number): string => `slo:sli_event:increase${formatPeriod(window)}`;

const selector = (labels: Readonly<Record<string, string>>): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(", ")}}`;

/** What tells the series of one objective from those of others. */
function identityOf(object: ServiceLevelObjective): Record<string, string> {
  const { alertname: _, severity: __, ...labels } = labelsOf(object, "");
  return labels;
}

/** The labels that select them: those that a user adds may be many. */
function keyOf({ slo = "", namespace }: Readonly<Record<string, string>>): string {
  return selector({ slo, ...(namespace && { namespace }) });
}

function condition(policy: Policy, { budget, minimumBad }: Objective, series: string): string {
  const { long, short } = policy;
  const threshold = number(policy.factor * budget);
  const windows = short === undefined ? [long] : [long, short];
  const burning = windows.map((window) => `${recorded(window)}${series} > ${threshold}`);
  const enough = `${recorded(long)}${series} * ${counted(long)}${series} >= ${minimumBad}`;
  return `(${[...burning, ...(minimumBad === undefined ? [] : [enough])].join(" and ")})`;
}

function alertsOf(object: ServiceLevelObjective, objective: Objective, series: string): AlertingRule[] {
  const { spec, metadata } = object;
  const groups = Map.groupBy(objective.policies, ({ severity, hold }) => `${severity} ${hold}`);
  return [...groups.values()].map((policies) => {
    const [{ severity = "", hold = 0 } = {}] = policies;
    const promised = `Objective: ${spec.target} over ${spec.window ?? defaultObjectiveWindow}.`;
    return {
      alert: alertName,
      expr: policies.map((policy) => condition(policy, objective, series)).join("\nor\n"),
      ...(hold > 0 && { for: formatPeriod(hold) }),
      labels: { ...identityOf(object), severity },
      annotations: {
        summary: `${metadata.name}: the error budget burns too fast`,
        description: [spec.description, promised, "{{ $value | humanizePercentage }} of what is asked of it fails."]
          .filter(Boolean)
          .join(" "),
        ...(spec.runbook && { runbook_url: spec.runbook }),
      },
    };
  });
}

function withoutData(object: ServiceLevelObjective, objective: Objective, series: string): AlertingRule[] {
  const last = objective.policies.at(-1);
  if (!last) return [];
  return [
    {
      alert: "ObjectiveWithoutData",
      expr: `absent(${recorded(last.long)}${series})`,
      for: noDataFor,
      labels: { ...identityOf(object), severity: last.severity },
      annotations: {
        summary: `${object.metadata.name}: there are no data to judge it by`,
        description: "Its queries give no series: either nothing was asked of it yet, or nobody measures it.",
        ...(object.spec.runbook && { runbook_url: object.spec.runbook }),
      },
    },
  ];
}

function groupsOf(object: ServiceLevelObjective): RuleGroup[] {
  const objective = objectiveOf(object.spec);
  const { budget, period } = objective;
  const labels = identityOf(object);
  const series = keyOf(labels);
  const name = [object.metadata.namespace, object.metadata.name].filter(Boolean).join("-");
  const ratio = (window: number): RecordingRule => ({
    record: recorded(window),
    expr: errorRatioExpression(object.spec.indicator, window),
    labels,
  });
  const windows = windowsOf(objective).filter((window) => window !== period);
  const events = (window: number): RecordingRule => ({
    record: counted(window),
    expr: inWindow(object.spec.indicator.events ?? "", window),
    labels,
  });
  const longs = new Set(objective.minimumBad === undefined ? [] : objective.policies.map(({ long }) => long));
  const burning: RuleGroup = {
    name: `objective-${name}`,
    rules: [
      ...windows.map(ratio),
      ...[...longs].map(events),
      ...alertsOf(object, objective, series),
      ...withoutData(object, objective, series),
    ],
  };
  const left: RuleGroup = {
    name: `objective-${name}-budget`,
    interval: budgetInterval,
    rules: [
      { record: "slo:objective:ratio", expr: `vector(${number(1 - budget)})`, labels },
      { record: "slo:error_budget:ratio", expr: `vector(${number(budget)})`, labels },
      ratio(period),
      {
        record: "slo:period_error_budget_remaining:ratio",
        expr: `1 - ${recorded(period)}${series} / ${number(budget)}`,
        labels,
      },
    ],
  };
  return burning.rules.length > 0 ? [burning, left] : [left];
}

/** `objects`: without mistakes (`objectiveMistakes`), of different names within a namespace. */
export const prometheusRules = (objects: readonly ServiceLevelObjective[]): RuleFile => ({
  groups: objects.flatMap(groupsOf),
});
