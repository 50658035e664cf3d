/** PromQL over a `SeriesSource`: what a server answers, in process. */
import type { Clock } from "@flotilla/ambient";
import type { SeriesSource } from "../metrics/series.ts";
import { QueryError } from "../telemetry.ts";
import { bare, type Expr, typeOf } from "./ast.ts";
import { Budget, CrowdedError, defaultLimits, type Limits, type Pool } from "./budget.ts";
import { type Context, evaluate, samplesOf } from "./evaluate.ts";
import { LabelSet } from "./label-set.ts";
import { parseQuery } from "./parse.ts";
import { type Result, samplesIn } from "./result.ts";
import { eachWindow } from "./select.ts";
import { Turns } from "./turns.ts";

export interface EngineOptions {
  readonly source: SeriesSource;
  readonly clock: Clock;
  readonly limits?: Partial<Limits>;
  /** Milliseconds; 5 minutes as Prometheus. */
  readonly lookback?: number;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds; at most the engine's. */
  readonly timeout?: number;
  /** Aborted when nobody holds the result any more: until then it counts as memory that others cannot have. */
  readonly held?: AbortSignal;
}

/** As Prometheus: enough for a week by the minute. */
export const mostSteps = 11_000;

export interface Engine {
  /** Mistakes in the query are `QueryError`s with a place, what fails later `ExecutionError`s. `at` is in ms since the epoch. */
  instant(query: string, at: number, run?: RunOptions): Promise<Result>;
  range(
    query: string,
    span: { readonly from: number; readonly to: number; readonly step: number },
    run?: RunOptions,
  ): Promise<Result>;
}

export function promqlEngine({ source, clock, limits, lookback = 300_000 }: EngineOptions): Engine {
  const most = { ...defaultLimits, ...limits };
  const pool: Pool = { samples: 0 };
  const contextOf = (
    start: number,
    end: number,
    step: number,
    { signal, timeout = most.time }: RunOptions,
  ): Context => ({
    source,
    lookback,
    budget: new Budget(clock, { ...most, time: Math.min(timeout, most.time) }, pool, signal),
    bounds: { start, end },
    steps: { start, interval: step, count: Math.floor((end - start) / step) + 1 },
  });

  const turns = new Turns();
  /** Those that would hold too much memory together are done one after the other. */
  const within = async (
    { held }: RunOptions,
    begin: () => Context,
    run: (context: Context) => Promise<Result>,
  ): Promise<Result> => {
    for (const alone of [false, true]) {
      const leave = await turns.enter(alone);
      let context: Context | undefined;
      let isHeld = false;
      const end = () => {
        context?.budget.end();
        leave();
      };
      try {
        context = begin();
        const result = await run(context);
        const size = samplesIn(result);
        if (held && !held.aborted && size > most.allSamples / 100) {
          isHeld = true;
          context.budget.end(size);
          held.addEventListener("abort", end, { once: true });
        }
        return result;
      } catch (error) {
        if (!(error instanceof CrowdedError)) throw error;
      } finally {
        if (!isHeld) end();
      }
    }
    throw new Error("a query that runs alone was crowded");
  };

  return {
    async instant(query, at, run = {}) {
      const expr = parseQuery(query);
      return within(
        run,
        () => contextOf(at, at, 1, run),
        (context) => instantResult(expr, context),
      );
    },

    async range(query, { from, to, step }, run = {}) {
      const expr = parseQuery(query);
      const type = typeOf(expr);
      if (type === "matrix" || type === "string")
        throw new QueryError(
          `invalid expression type ${type === "matrix" ? '"range vector"' : '"string"'} for range query, must be Scalar or instant Vector`,
        );
      if ((to - from) / step > mostSteps)
        throw new QueryError(
          "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
        );
      return within(
        run,
        () => contextOf(from, to, step, run),
        (context) => rangeResult(expr, context),
      );
    },
  };
}

async function instantResult(expr: Expr, context: Context): Promise<Result> {
  const at = context.bounds.start;
  if (typeOf(expr) === "matrix") return { kind: "matrix", series: await rawSamples(expr, context) };
  const value = await evaluate(expr, context);
  if (value.kind === "string") return { kind: "string", at, value: value.value };
  if (value.kind === "scalar") return { kind: "scalar", at, value: value.values[0] as number };
  return { kind: "vector", at, series: value.series };
}

async function rangeResult(expr: Expr, context: Context): Promise<Result> {
  const value = await evaluate(expr, context);
  if (value.kind === "string") throw new Error("a string passed for a vector");
  const series =
    value.kind === "vector"
      ? value.series
      : [{ labels: LabelSet.empty, values: value.values, present: new Uint8Array(value.values.length).fill(1) }];
  return {
    kind: "range",
    steps: context.steps,
    series: series.sort((a, b) => LabelSet.compare(a.labels, b.labels)),
  };
}

/** An instant query for a range is answered by the samples themselves. */
async function rawSamples(expr: Expr, context: Context): Promise<(Result & { kind: "matrix" })["series"]> {
  const subject = bare(expr);
  if (subject.kind !== "matrix" && subject.kind !== "subquery") throw new Error(`a ${subject.kind} is no range`);
  const { samples, gaze, range } = await samplesOf(subject, context);
  const out: { labels: LabelSet; samples: (typeof samples)[number]; from: number; to: number }[] = [];
  for (const one of samples)
    await eachWindow(one, gaze, context.steps, range, context.budget, ({ from, to }) => {
      out.push({ labels: one.set, samples: one, from, to });
    });
  return out;
}
