/**
 * Burn-rate alerting: how fast an error budget goes, in which windows it is watched, and when somebody is told.
 *
 * Source: Google's SRE workbook, "Alerting on SLOs" (multiwindow, multi-burn-rate alerts), with the four window pairs of Sloth.
 */
import {
  type BurnRatePolicy,
  defaultObjectiveWindow,
  parsePeriod,
  parseShare,
  type ServiceLevelObjectiveSpec,
} from "@flotilla/objects";

/** Times in milliseconds. */
export interface Policy {
  readonly severity: string;
  readonly long: number;
  /** Undefined: the long window alone. */
  readonly short: number | undefined;
  /** Both windows' error ratio must be above this many times the budget. */
  readonly factor: number;
  /** How long that must hold before it alerts. */
  readonly hold: number;
}

/** A spec without mistakes, in numbers. */
export interface Objective {
  /** Share of errors that may be: 0.001 of "99.9%". */
  readonly budget: number;
  /** Milliseconds. */
  readonly period: number;
  readonly policies: readonly Policy[];
  /** Events that must be bad in a window before anybody is told; undefined: they are not counted. */
  readonly minimumBad: number | undefined;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** For 30 days. The factor follows: budget x period / long window. */
const reference = [
  { severity: "page", budget: 0.02, long: hour },
  { severity: "page", budget: 0.05, long: 6 * hour },
  { severity: "ticket", budget: 0.1, long: day },
  { severity: "ticket", budget: 0.1, long: 3 * day },
] as const;
const referencePeriod = 30 * day;
/** Short windows are this part of the long ones: the alert ends soon after its cause. */
const shortPart = 12;

/** What metrics that come in every few seconds can tell at all. */
const shortestLong = minute;
const shortestShort = 30_000;
/** Nobody is told only when more than this share of the budget is gone. */
const largestShare = 0.5;

const rounded = (value: number): number => Number(value.toPrecision(12));

/**
 * The reference's windows scaled to the period, with its factors. Of short periods the windows would be too short to measure in:
 * they grow, and the factor shrinks where it would spend more than half of the budget before anybody hears of it.
 */
export function defaultPolicies(period: number): Policy[] {
  const scaled = reference.map(({ severity, budget, long: asked }): Policy => {
    const long = Math.max(shortestLong, Math.round((asked * period) / referencePeriod));
    const factor = Math.min((budget * referencePeriod) / asked, (largestShare * period) / long);
    const short = Math.max(shortestShort, Math.round(long / shortPart));
    return { severity, long, short, factor: rounded(factor), hold: 0 };
  });
  // In the same window, what is slower says it all.
  return scaled.filter(
    (policy) =>
      !scaled.some(
        (other) =>
          other !== policy &&
          other.severity === policy.severity &&
          other.long === policy.long &&
          (other.factor < policy.factor ||
            (other.factor === policy.factor && scaled.indexOf(other) < scaled.indexOf(policy))),
      ),
  );
}

function stated({ severity, long, short, factor, budget, for: hold }: BurnRatePolicy, period: number): Policy {
  const longest = parsePeriod(long) ?? 0;
  const share = budget === undefined ? 0 : (parseShare(budget)?.share ?? 0);
  return {
    severity,
    long: longest,
    short: short === undefined ? undefined : parsePeriod(short),
    factor: factor ?? rounded((share * period) / longest),
    hold: hold === undefined ? 0 : (parsePeriod(hold) ?? 0),
  };
}

/** `spec` has no mistakes (`objectiveMistakes`). */
export function objectiveOf({
  target,
  window = defaultObjectiveWindow,
  alerting,
}: ServiceLevelObjectiveSpec): Objective {
  const period = parsePeriod(window) ?? 0;
  return {
    budget: parseShare(target)?.rest ?? 0,
    period,
    policies: alerting?.policies?.map((policy) => stated(policy, period)) ?? defaultPolicies(period),
    minimumBad: alerting?.minimumBad,
  };
}

/** The windows in which errors are measured for alerts, ascending. */
export const windowsOf = ({ policies }: Objective): number[] =>
  [...new Set(policies.flatMap(({ long, short }) => (short === undefined ? [long] : [short, long])))].sort(
    (left, right) => left - right,
  );

/** By severity, in order of first mention. */
export const severitiesOf = ({ policies }: Objective): string[] => [
  ...new Set(policies.map(({ severity }) => severity)),
];
