import { describe, expect, test } from "vitest";
import { textOf } from "../attributes.ts";
import { flatLabels } from "../metrics/label-sets.ts";
import { metricsOf } from "../metrics/metrics.fixture.ts";
import { SeriesTable } from "../metrics/series-table.ts";
import { type Point, translate } from "../metrics/translate.ts";
import { decodeMetrics, encodeMetrics } from "../otlp/codec.ts";
import { parseExposition } from "./exposition.ts";
import { ended, metricsOfPoints, pointKey, scrapedPoints } from "./scraped-metrics.ts";

const at = 1_700_000_000_000;
const openMetrics = "application/openmetrics-text";

const points = (text: string, type = "text/plain") => scrapedPoints(parseExposition(text, type), at);

/** To OTLP's bytes and back to series, as the store sees them. */
function series(text: string, type = "text/plain"): string[] {
  const found: Point[] = [];
  const data = decodeMetrics(encodeMetrics(metricsOf({}, ...metricsOfPoints(points(text, type)))));
  translate(data, {
    point: (point) => found.push(point) > 0,
    refuse: (reason) => expect.fail(reason),
    metadata: () => {},
  });
  return found.flatMap(({ parts, time }) =>
    parts.map(({ labels, value }) => {
      const table = new SeriesTable();
      const [, name, ...pairs] = flatLabels(table, table.add(labels, 0));
      const text = pairs.map((part, index) => (index % 2 === 0 ? `${part}=` : `${JSON.stringify(part)},`)).join("");
      return `${name}{${text.slice(0, -1)}} ${value}${time === at ? "" : ` ${time}`}`;
    }),
  );
}

const whole = `# TYPE h histogram
h_bucket{a="b",le="0.1"} 1
h_bucket{a="b",le="1"} 3
h_bucket{a="b",le="+Inf"} 6
h_sum{a="b"} 2.5
h_count{a="b"} 6
`;

describe("series come out as they were said", () => {
  test.each<[string, string, string[]]>([
    ["a counter, whatever its name", '# TYPE requests counter\nrequests{code="200"} 5\n', ['requests{code="200"} 5']],
    ["a gauge with its own time", "# TYPE g gauge\ng 5 1700000000123\n", ["g{} 5 1700000000123"]],
    ["untyped", "node__x 1\n", ["node__x{} 1"]],
    ["one that is no number", "g NaN\n", ["g{} NaN"]],
    [
      "a histogram; le as Prometheus writes it",
      whole,
      [
        'h_sum{a="b"} 2.5',
        'h_count{a="b"} 6',
        'h_bucket{a="b",le="0.1"} 1',
        'h_bucket{a="b",le="1.0"} 3',
        'h_bucket{a="b",le="+Inf"} 6',
      ],
    ],
    [
      "a histogram without its count",
      '# TYPE h histogram\nh_bucket{le="1"} 3\nh_bucket{le="+Inf"} 6\n',
      ['h_bucket{le="1"} 3', 'h_bucket{le="+Inf"} 6'],
    ],
    [
      "a histogram whose buckets fall",
      '# TYPE h histogram\nh_bucket{le="1"} 7\nh_bucket{le="+Inf"} 6\nh_count 6\n',
      ['h_bucket{le="1"} 7', 'h_bucket{le="+Inf"} 6', "h_count{} 6"],
    ],
    [
      "a summary",
      '# TYPE s summary\ns{quantile="0.5"} 2\ns_sum 6\ns_count 3\n',
      ["s_sum{} 6", "s_count{} 3", 's{quantile="0.5"} 2'],
    ],
    [
      "a summary without its sum",
      '# TYPE s summary\ns{quantile="0.5"} 2\ns_count 3\n',
      ['s{quantile="0.5"} 2', "s_count{} 3"],
    ],
  ])("%s", (_, text, expected) => expect(series(text)).toEqual(expected));

  test("OpenMetrics", () =>
    expect(
      series(
        '# TYPE c counter\nc_total 5\n# TYPE i info\ni_info{v="1"} 1\n# TYPE s stateset\ns{s="a"} 1\n# EOF\n',
        openMetrics,
      ),
    ).toEqual(["c_total{} 5", 'i_info{v="1"} 1', 's{s="a"} 1']));
});

describe("points", () => {
  test("a whole histogram is one", () =>
    expect(points(whole)).toMatchObject([
      { kind: "histogram", point: { count: "6", sum: 2.5, explicitBounds: [0.1, 1], bucketCounts: ["1", "2", "3"] } },
    ]));
  test("_created is when counting began", () =>
    expect(
      points('# TYPE c counter\nc_total{a="b"} 5\nc_created{a="b"} 1600000000.5\n# EOF\n', openMetrics),
    ).toMatchObject([
      { metric: { name: "c_total" }, point: { asDouble: 5, startTimeUnixNano: "1600000000500000000" } },
    ]));
  test("an exemplar knows its trace", () => {
    const trace = "0123456789abcdef0123456789abcdef";
    const text = `# TYPE c counter\nc_total 5 # {trace_id="${trace}",user="u"} 1 1600000000\n# EOF\n`;
    expect(points(text, openMetrics)[0]?.point).toMatchObject({
      exemplars: [
        { traceId: trace, asDouble: 1, timeUnixNano: "1600000000000000000", filteredAttributes: [{ key: "user" }] },
      ],
    });
  });
  test("labels may be added", () => {
    const [point] = scrapedPoints(parseExposition('a{b="c"} 1\n', ""), at, ([[, value] = ["", ""]]) => [
      ["d", `${value}!`],
    ]);
    expect(point?.point.attributes?.map(({ key, value }) => `${key}=${textOf(value)}`)).toEqual(["b=c", "d=c!"]);
  });
  test("points of one metric come together", () =>
    expect(metricsOfPoints(points('a{x="1"} 1\nb 1\na{x="2"} 1\n'))).toMatchObject([
      { name: "a", gauge: { dataPoints: [{}, {}] } },
      { name: "b" },
    ]));
  test("the end of one is of the same series, without a value's company", () => {
    const [point] = points(whole);
    if (!point) return expect.fail("no point");
    const end = ended(point, at + 5);
    expect(pointKey(end)).toBe(pointKey(point));
    expect(end.point).toMatchObject({ flags: 1, timeUnixNano: `${at + 5}000000` });
  });
});
