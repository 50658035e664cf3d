/** What was counted before a series was first heard of is an increase, too: the store and PromQL together. */
import { expect, test } from "vitest";
import { promqlEngine } from "../promql/engine.ts";
import { queryData } from "../promql/result.ts";
import type { QueryData } from "../telemetry.ts";
import { add, begin, open, second, simulated, store } from "./metric-store.fixture.ts";
import { counter, nano, point } from "./metrics.fixture.ts";

/** Of the one series that `query` gives, `at` seconds after the beginning. */
async function amountOf(query: string, at: number): Promise<number | undefined> {
  const engine = promqlEngine({ source: store, clock: simulated.clock });
  const data: QueryData = queryData(await engine.instant(query, begin + at * second));
  if (data.resultType !== "vector") throw new Error(`${query} gives a ${data.resultType}`);
  return data.result[0]?.value && Number(data.result[0].value[1]);
}

test.each<[string, number | undefined, number | undefined]>([
  ["with its start: one request is an increase of 1", 1, 1],
  ["without: there is nothing to compare it with", undefined, undefined],
])("%s", async (_, start, expected) => {
  open();
  const started = start === undefined ? {} : { startTimeUnixNano: nano(begin + start * second) };
  add(counter("requests", point(begin + 5 * second, 1, { code: "500" }, started)));
  expect(await amountOf("sum(increase(requests_total[1h]))", 5)).toBe(expected);
});
