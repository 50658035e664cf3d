import type { Labels, QueryData, Telemetry } from "@flotilla/telemetry/ask";
import { describe, expect, test } from "vitest";
import { figures, type ServiceFigures, table } from "./top.ts";

const now = 1_767_225_600_000;

/** Answers a query by the first of these that it contains, for the services given. */
const telling = (
  answers: Readonly<Record<string, Readonly<Record<string, string>>>>,
  over: [Labels, [number, string][]][] = [],
) => {
  const asked: string[] = [];
  const telemetry = {
    async instant(query: string): Promise<QueryData> {
      asked.push(query);
      const key = Object.keys(answers).find((part) => query.includes(part));
      const result = Object.entries(key ? (answers[key] ?? {}) : {}).map(([service, value]) => ({
        metric: { service },
        value: [now / 1000, value] as [number, string],
      }));
      return { resultType: "vector", result };
    },
    range: async (): Promise<QueryData> => ({
      resultType: "matrix",
      result: over.map(([metric, values]) => ({ metric, values })),
    }),
  } as unknown as Telemetry;
  return { telemetry, asked };
};

describe("figures", () => {
  test("of each service, from what PromQL answers", async () => {
    const { telemetry, asked } = telling(
      {
        'code=~"5..|"': { web: "1" },
        "quantile(0.5,": { web: "0.01", idle: "NaN" },
        "quantile(0.95,": { web: "0.2" },
        "quantile(0.99,": { web: "1.5" },
        flotilla_requests_total: { web: "4", idle: "0" },
        cpu: { web: "0.25" },
        memory: { web: "1048576" },
      },
      [
        [
          { service: "web" },
          [
            [now / 1000 - 580, "1"],
            [now / 1000, "4"],
          ],
        ],
      ],
    );
    const [web, idle, silent] = await figures(telemetry, "shop", ["web", "idle", "silent"], now);
    expect(web).toMatchObject({ rate: 4, errors: 0.25, p50: 10, p95: 200, p99: 1500, cpu: 0.25, memory: 1_048_576 });
    expect(web?.trend).toHaveLength(30);
    expect([web?.trend[0], web?.trend[1], web?.trend[29]]).toEqual([1, undefined, 4]);
    expect(idle).toEqual({ service: "idle", rate: 0, trend: [] });
    expect(silent).toEqual({ service: "silent", trend: [] });
    expect(asked.every((query) => query.includes('namespace="shop"'))).toBe(true);
  });
  test("of a service that only its requests know; not of requests to nobody", async () => {
    const { telemetry } = telling({ flotilla_requests_total: { other: "1", "": "2" } });
    expect((await figures(telemetry, "shop", ["web"], now)).map(({ service }) => service)).toEqual(["web", "other"]);
  });
});

describe("the table", () => {
  const web: ServiceFigures = {
    service: "web",
    rate: 0.08245,
    errors: 0.256,
    p50: 53.71,
    p95: 277,
    p99: 1278,
    cpu: 0.0042,
    memory: 41_943_040,
    trend: Array.from({ length: 30 }, (_, i) => (i === 29 ? 10 : 5)),
  };
  const shown = (width: number, ...found: ServiceFigures[]) => table(found, { paint: (_, text) => text, width });
  test("of figures to watch", () =>
    expect(shown(120, web, { service: "db", trend: [] })).toEqual([
      "SERVICE  REQ/S  ERRORS  P50      P95     P99     CPU  MEMORY  LAST 10 MIN",
      "web      0.082  26%     53.7 ms  277 ms  1.28 s  4m   40Mi    ▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅█",
      "db       -      -       -        -       -       -    -",
    ]));
  test("in a narrow terminal has less of the past", () =>
    expect(shown(72, web)).toEqual([
      "SERVICE  REQ/S  ERRORS  P50      P95     P99     CPU  MEMORY  LAST 3 MIN",
      "web      0.082  26%     53.7 ms  277 ms  1.28 s  4m   40Mi    ▅▅▅▅▅▅▅▅▅█",
    ]));
  test("and none where that would say nothing", () =>
    expect(shown(64, web)[1]).toBe("web      0.082  26%     53.7 ms  277 ms  1.28 s  4m   40Mi"));
});
