import { describe, expect, test } from "vitest";
import { type Family, parseExposition } from "./exposition.ts";

const openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const plain = "text/plain; version=0.0.4";

const short = ({ name, type, help, unit, samples }: Family) => ({
  family: [name, type, help, unit].filter(Boolean).join(" | "),
  samples: samples.map(
    ({ name, labels, value, time, exemplar }) =>
      `${name}{${labels.map(([label, value]) => `${label}=${value}`).join(",")}} ${value}${time === undefined ? "" : ` @${time}`}${exemplar ? ` # ${exemplar.labels.join()} ${exemplar.value} @${exemplar.time}` : ""}`,
  ),
});

const parsed = (text: string, type = plain) => parseExposition(text, type).map(short);

/** From Prometheus' own documentation of the format. */
const documented = `# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045

# A histogram, which has a pretty complex representation in the text format:
# HELP http_request_duration_seconds A histogram of the request duration.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320
`;

describe("0.0.4", () => {
  test("the documented example", () =>
    expect(parsed(documented)).toEqual([
      {
        family: "http_requests_total | counter | The total number of HTTP requests.",
        samples: [
          "http_requests_total{method=post,code=200} 1027 @1395066363000",
          "http_requests_total{method=post,code=400} 3 @1395066363000",
        ],
      },
      {
        family: "msdos_file_access_time_seconds | unknown",
        samples: [
          'msdos_file_access_time_seconds{path=C:\\DIR\\FILE.TXT,error=Cannot find file:\n"FILE.TXT"} 1458255915',
        ],
      },
      {
        family: "metric_without_timestamp_and_labels | unknown",
        samples: ["metric_without_timestamp_and_labels{} 12.47"],
      },
      {
        family: "something_weird | unknown",
        samples: ["something_weird{problem=division by zero} Infinity @-3982045"],
      },
      {
        family: "http_request_duration_seconds | histogram | A histogram of the request duration.",
        samples: [
          "http_request_duration_seconds_bucket{le=0.05} 24054",
          "http_request_duration_seconds_bucket{le=+Inf} 144320",
          "http_request_duration_seconds_sum{} 53423",
          "http_request_duration_seconds_count{} 144320",
        ],
      },
    ]));

  test.each<[string, string, string]>([
    ["tabs and many spaces", 'a\t{ x = "1" , }\t 2  \n', "a{x=1} 2"],
    ["no line end", "a 1", "a{} 1"],
    ["an empty set of labels", "a{} 1\n", "a{} 1"],
    ["a comma at the end", 'a{b="c",} 1\n', "a{b=c} 1"],
    ["what is no number", "a NaN\n", "a{} NaN"],
    ["infinities in any case", "a -inf\n", "a{} -Infinity"],
    ["an exponent", "a 1e-9\n", "a{} 1e-9"],
    ["other escapes stay", 'a{b="\\d"} 1\n', "a{b=\\d} 1"],
    ["a name in quotes", '{"a.b",c="d"} 1\n', "a.b{c=d} 1"],
    ["colons", "a:b 1\n", "a:b{} 1"],
    ["a comment that is none of ours", "# HELPFUL a b\n#TYPE x y\na 1\n", "a{} 1"],
  ])("%s", (_, text, expected) => expect(parsed(text).flatMap(({ samples }) => samples)).toEqual([expected]));

  test("untyped is unknown; help may have line ends", () =>
    expect(parsed('# TYPE a untyped\n# HELP a one\\ntwo \\\\ "\na 1\n')[0]?.family).toBe(
      'a | unknown | one\ntwo \\ "',
    ));
  test("nothing", () => expect(parsed("")).toEqual([]));
});

describe("OpenMetrics", () => {
  test("what it has beyond", () =>
    expect(
      parsed(
        `# TYPE foo_seconds counter
# UNIT foo_seconds seconds
# HELP foo_seconds Say "foo".
foo_seconds_total{a="b"} 17.0 1520879607.789 # {trace_id="abc"} 0.5 1520879606.1
foo_seconds_created{a="b"} 1520430000.123
# TYPE state stateset
state{state="a"} 1
# TYPE build info
build_info{version="1"} 1
# EOF
`,
        openMetrics,
      ),
    ).toEqual([
      {
        family: 'foo_seconds | counter | Say "foo". | seconds',
        samples: [
          "foo_seconds_total{a=b} 17 @1520879607789 # trace_id,abc 0.5 @1520879606100",
          "foo_seconds_created{a=b} 1520430000.123",
        ],
      },
      { family: "state | stateset", samples: ["state{state=a} 1"] },
      { family: "build | info", samples: ["build_info{version=1} 1"] },
    ]));
});

describe("mistakes and where they are", () => {
  test.each<[string, string, string, string]>([
    ["no value", plain, "a 1\nb\n", 'line 2: expected a number, found ""'],
    ["a carriage return", plain, "a 1\r\n", 'line 1: expected a number, found "1\\r"'],
    ["a value that is none", plain, "a one\n", 'line 1: expected a number, found "one"'],
    ["hexadecimal", plain, "a 0x10\n", 'line 1: expected a number, found "0x10"'],
    ["a time with a fraction", plain, "a 1 1.5\n", 'line 1: expected a time in milliseconds, found "1.5"'],
    ["something after the time", plain, "a 1 2 3\n", 'line 1: expected the end of the line, found "3"'],
    ["labels without an end", plain, 'a{b="c" 1\n', 'line 1: expected , or } after b, found "1"'],
    ["a value without quotes", plain, "a{b=c} 1\n", 'line 1: expected the value of b in quotes, found "c} 1"'],
    ["a text without an end", plain, 'a 1\na{b="c} 1\n', 'line 2: expected the value of b in quotes, found "\\"c} 1"'],
    ["a name that is none", plain, "1a 1\n", "line 1: expected the name of a metric"],
    ["a label twice", plain, 'a{b="1",b="2"} 1\n', "line 1: the label b is there twice"],
    ["a type that is none", plain, "\n# TYPE a fancy\na 1\n", 'line 2: "fancy" is no type of a metric'],
    ["no end", openMetrics, "a 1\n", "line 2: the text does not end with # EOF"],
    ["more after the end", openMetrics, "a 1\n# EOF\nb 1\n", "line 3: something follows # EOF"],
    ["two spaces", openMetrics, "a  1\n# EOF\n", 'line 1: expected a number, found ""'],
    ["an empty line", openMetrics, "a 1\n\n# EOF\n", "line 2: expected the name of a metric"],
    ["a comment", openMetrics, "# hello\n# EOF\n", "line 1: only HELP, TYPE, UNIT and EOF may follow # here"],
    [
      "a unit that is not in the name",
      openMetrics,
      "# UNIT a seconds\na 1\n# EOF\n",
      "line 1: the name a does not end with its unit seconds",
    ],
    [
      "a page",
      "text/html",
      "<html>",
      "line 1: the content type is text/html, which is neither text/plain nor application/openmetrics-text",
    ],
  ])("%s", (_, type, text, message) => expect(() => parseExposition(text, type)).toThrow(message));

  test("too many samples", () =>
    expect(() => parseExposition("a 1\nb 1\nc 1\n", plain, 2)).toThrow("line 4: more than 2 samples"));
});
