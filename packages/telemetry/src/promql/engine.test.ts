// Ours against what a real Prometheus answered on the same samples; see scripts/record-promql.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@flotilla/ambient";
import { describe, expect, test } from "vitest";
import { type QueryData, QueryError } from "../telemetry.ts";
import { promqlEngine } from "./engine.ts";
import { ExecutionError } from "./failure.ts";
import type { Answer } from "./prometheus.fixture.ts";
import { queryData } from "./result.ts";
import { parseQuestions, parseSamples, type Question, recordedStart, sourceOf } from "./samples.fixture.ts";

const read = (name: string) => readFileSync(join(import.meta.dirname, "testdata", name), "utf8");

const engine = promqlEngine({
  source: sourceOf(parseSamples(read("samples.txt"), recordedStart)),
  clock: systemClock,
});
const questions = parseQuestions(read("expressions.txt"));
const answers = read("results.jsonl")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Answer);

async function ours(question: Question): Promise<Answer> {
  const at = (offset: number) => recordedStart + offset * 1000;
  try {
    const result =
      "at" in question
        ? await engine.instant(question.query, at(question.at))
        : await engine.range(question.query, {
            from: at(question.from),
            to: at(question.to),
            step: question.step * 1000,
          });
    return { data: queryData(result) };
  } catch (error) {
    if (error instanceof ExecutionError) return { errorType: error.type, error: error.message };
    if (error instanceof QueryError) return { errorType: "bad_data", error: error.message };
    throw error;
  }
}

/** Errors of the API carry the parameter's name; which rule of a regular expression was broken is said in words of our own. */
const withoutWrapping = (message: string) => message.replace(/^invalid parameter "query": /, "");

const isOrdered = (query: string) => /^(sort|sort_desc|topk|bottomk)\b/.test(query);

/** Label sets as one text, in order; numbers apart, since sums may be made in another order than Prometheus' maps gave. */
function comparable(data: QueryData, ordered: boolean): { shape: unknown; numbers: string[] } {
  const numbers: string[] = [];
  const strip = (value: unknown): unknown => {
    if (typeof value === "string") {
      numbers.push(value);
      return "#";
    }
    if (Array.isArray(value)) return value.map(strip);
    if (value !== null && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, strip(inner)]));
    return value;
  };
  if (data.resultType === "scalar" || data.resultType === "string") return { shape: data, numbers };
  const entries = data.result.map((entry) => ({
    ...entry,
    metric: JSON.stringify(Object.entries(entry.metric).sort()),
  }));
  if (!ordered) entries.sort((a, b) => (a.metric < b.metric ? -1 : 1));
  const shape = entries.map(({ metric, ...points }) => [metric, strip(points)]);
  return { shape: [data.resultType, shape], numbers };
}

/** Equal, or as near as another order of summation or another mathematical library leaves them. */
function isNear(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [Number(one), Number(other)];
  return Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
}

test("each expression has its answer", () => expect(answers).toHaveLength(questions.length));

describe("as Prometheus 2.42 answers", () => {
  test.each(
    questions.map((question, index) => {
      const when =
        "at" in question ? `at ${question.at}` : `from ${question.from} to ${question.to} step ${question.step}`;
      return { name: `${question.query} ${when}`, question, theirs: answers[index] as Answer };
    }),
  )("$name", async ({ question, theirs }) => {
    const answer = await ours(question);
    if ("error" in theirs) {
      expect(answer).toEqual({ errorType: theirs.errorType, error: withoutWrapping(theirs.error) });
      return;
    }
    expect(answer).toHaveProperty("data");
    const ordered = isOrdered(question.query) && "at" in question;
    const mine = comparable((answer as { data: QueryData }).data, ordered);
    const wanted = comparable(theirs.data as QueryData, ordered);
    expect(mine.shape).toEqual(wanted.shape);
    const far = wanted.numbers.flatMap((number, index) =>
      isNear(number, mine.numbers[index] as string) ? [] : [[number, mine.numbers[index]]],
    );
    expect(far).toEqual([]);
  });
});
