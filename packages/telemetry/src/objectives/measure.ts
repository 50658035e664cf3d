/** Asks telemetry for an objective's error ratios: in each window as often as it can matter, since long windows are dear. */
import type { ObjectiveIndicator, ServiceLevelObjectiveSpec } from "@flotilla/objects";
import { ExecutionError } from "../promql/failure.ts";
import { type QueryData, QueryError, type Telemetry } from "../telemetry.ts";
import { type Objective, objectiveOf, type Policy } from "./burn-rate.ts";
import { inWindow } from "./indicator.ts";

/** Share of errors in a window that ended at `at` (ms). */
export interface Ratio {
  readonly at: number;
  /** Undefined: there are no data. 0 where nothing was asked. */
  readonly value: number | undefined;
  /** There are data, and they say that nothing was asked. */
  readonly idle?: boolean;
  /** How many of the events were bad. Only where something depends on it. */
  readonly bad?: number;
}

export interface Measurement {
  /** When it was made, ms. */
  readonly at: number;
  /** By length of the window in ms. Some are of earlier measurements: then nothing depends on them. */
  readonly ratios: ReadonlyMap<number, Ratio>;
  /** Of the spec that was measured. */
  readonly generation: number;
  /** Of the first measurement of the spec that found anything. */
  readonly since?: number;
  /** Why nothing could be measured; `ratios` are then what was known before. */
  readonly problem?: { readonly reason: "QueryInvalid" | "TelemetryUnavailable"; readonly message: string };
}

/** Of a window that nothing depends on: the part of its length after which it is measured again. */
const refreshedBy = 60;
/** Of the objective's whole window: 5 minutes of 30 days. */
const periodRefreshedBy = 8640;
/** What is new changes faster: the part of the time since the first data after which any window is measured again. */
const settledBy = 10;

/** Undefined: no series. More than one is a mistake in the query. */
function numberOf(data: QueryData, query: string): number | undefined {
  if (data.resultType === "scalar") return parse(data.result[1]);
  if (data.resultType !== "vector")
    throw new QueryError(`gives a ${data.resultType}, not one number: ${query}; aggregate it, for example with sum()`);
  const [first, ...more] = data.result;
  if (!first) return undefined;
  if (more.length > 0)
    throw new QueryError(`gives ${more.length + 1} series, not one: ${query}; aggregate them, for example with sum()`);
  if (!first.value) throw new QueryError(`gives a histogram, not a number: ${query}`);
  return parse(first.value[1]);
}

/** As Prometheus writes numbers. */
const parse = (text: string): number => Number(text.replace(/Inf$/, "Infinity"));

const bounded = (ratio: number): number => Math.min(1, Math.max(0, ratio));

async function ratioIn(
  { errorRatio, good, bad, total }: ObjectiveIndicator,
  window: number,
  telemetry: Pick<Telemetry, "instant">,
  at: number,
): Promise<Ratio> {
  const ask = async (query: string) => {
    const text = inWindow(query, window);
    return numberOf(await telemetry.instant(text, at), text);
  };
  if (errorRatio !== undefined) {
    const value = await ask(errorRatio);
    if (value === undefined) return { at, value };
    return Number.isNaN(value) ? { at, value: 0, idle: true } : { at, value: bounded(value) };
  }
  const all = await ask(total ?? "");
  if (all === undefined) return { at, value: undefined };
  if (!(all > 0)) return { at, value: 0, idle: true };
  const counted = (await ask(good ?? bad ?? "")) ?? 0;
  const share = Number.isNaN(counted) ? 0 : counted / all;
  return { at, value: bounded(good === undefined ? share : 1 - share) };
}

/** `query` counts all events, good and bad. No series: none. */
async function withBad(ratio: Ratio, query: string, telemetry: Pick<Telemetry, "instant">): Promise<Ratio> {
  const events = numberOf(await telemetry.instant(query, ratio.at), query) ?? 0;
  return { ...ratio, bad: (ratio.value ?? 0) * (Number.isNaN(events) ? 0 : events) };
}

/** The window that is asked first: as long as it does not exceed, the other one does not matter. */
export const deciding = ({ short, long }: Policy): number => short ?? long;

/** What is exactly at the threshold must not flap with the last digit of a sum. */
const tolerance = 1 + 1e-9;

export const exceeds = (ratio: Ratio | undefined, { factor }: Policy, { budget }: Objective): boolean =>
  ratio?.value !== undefined && ratio.value > factor * budget * tolerance;

/** Whether there are bad events, but too few to say anything by their share. */
export const isScarce = ({ bad }: Ratio, { minimumBad }: Objective): boolean =>
  minimumBad !== undefined && bad !== undefined && bad * tolerance < minimumBad;

/**
 * `before`: the last measurement of the same spec. Never rejects: what went wrong is `problem`. Short windows are always asked,
 * long ones when a short one exceeds, so that alerts never hang on an old value; else now and then, to be shown.
 */
export async function measure(
  spec: ServiceLevelObjectiveSpec,
  telemetry: Pick<Telemetry, "instant">,
  { at, generation, before }: { at: number; generation: number; before?: Measurement | undefined },
): Promise<Measurement> {
  const objective = objectiveOf(spec);
  const known = before?.generation === generation ? before.ratios : new Map<number, Ratio>();
  const since = before?.generation === generation ? before.since : undefined;
  const ratios = new Map(known);
  const asked = new Set<number>();
  const ask = async (window: number) => {
    if (asked.has(window)) return;
    asked.add(window);
    ratios.set(window, await ratioIn(spec.indicator, window, telemetry, at));
  };
  const count = async (window: number) => {
    const ratio = ratios.get(window);
    if (objective.minimumBad === undefined || !ratio || ratio.at !== at || ratio.bad !== undefined) return;
    ratios.set(window, await withBad(ratio, inWindow(spec.indicator.events ?? "", window), telemetry));
  };
  const isDue = (window: number, every: number) => {
    const soon = since === undefined ? 0 : (at - since) / settledBy;
    return at - (known.get(window)?.at ?? Number.NEGATIVE_INFINITY) >= Math.min(every, soon);
  };
  try {
    for (const policy of objective.policies) await ask(deciding(policy));
    for (const policy of objective.policies) {
      const { long } = policy;
      const isBurning = exceeds(ratios.get(deciding(policy)), policy, objective);
      if (isBurning || isDue(long, long / refreshedBy)) await ask(long);
      if (isBurning && exceeds(ratios.get(long), policy, objective)) await count(long);
    }
    const { period, budget } = objective;
    if (isDue(period, period / periodRefreshedBy)) await ask(period);
    if ((ratios.get(period)?.value ?? 0) >= budget) await count(period);
    const hasData = [...ratios.values()].some(({ value, idle }) => value !== undefined && !idle);
    const first = since ?? (hasData ? at : undefined);
    return { at, ratios, generation, ...(first !== undefined && { since: first }) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const reason =
      error instanceof QueryError && !(error instanceof ExecutionError) ? "QueryInvalid" : "TelemetryUnavailable";
    return { at, ratios: known, generation, ...(since !== undefined && { since }), problem: { reason, message } };
  }
}
