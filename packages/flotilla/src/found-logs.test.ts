import { attributesOf, type FoundLog, type LogSearch, type Telemetry } from "@flotilla/telemetry/ask";
import { expect, test, vi } from "vitest";
import { CommandError } from "./errors.ts";
import { foundLines, lineOf, severity } from "./found-logs.ts";

const resource = {
  attributes: attributesOf({
    "service.name": "web",
    "k8s.pod.name": "web-1",
    "k8s.container.name": "main",
    "k8s.namespace.name": "shop",
  }),
};
const from = { service: "web", pod: "web-1", container: "main", namespace: "shop" };
const found = (record: FoundLog["record"], id = "1"): FoundLog => ({ id, resource, scope: {}, record });
const at = { timeUnixNano: "1767225600500000000" };
const time = "2026-01-01T00:00:00.500Z";

test.each<[string, FoundLog["record"], object]>([
  ["text", { ...at, body: { stringValue: "a\nb" } }, { ...from, time, text: "a\nb" }],
  ["nothing", at, { ...from, time, text: "" }],
  ["a structure", { ...at, body: { kvlistValue: { values: [] } } }, { ...from, time, text: "{}" }],
  ["seen, not timed", { observedTimeUnixNano: "0" }, { ...from, time: "1970-01-01T00:00:00.000Z", text: "" }],
  [
    "a level and ids",
    { ...at, severityText: "WARN", traceId: "t", spanId: "s" },
    { ...from, time, text: "", level: "WARN", traceId: "t", spanId: "s" },
  ],
  [
    "a change",
    {
      ...at,
      eventName: "flotilla.change",
      attributes: attributesOf({
        "k8s.object.kind": "Deployment",
        "k8s.object.name": "web",
        "flotilla.change.who": "kubectl",
      }),
    },
    { ...from, time, text: "", event: "flotilla.change", object: "Deployment web", by: "kubectl" },
  ],
  [
    "an Event",
    { ...at, eventName: "k8s.event", attributes: attributesOf({ "k8s.event.reason": "Killing" }) },
    { ...from, time, text: "", event: "k8s.event", reason: "Killing" },
  ],
])("a record of %s", (_, record, line) => expect(lineOf(found(record))).toEqual(line));
test("a record of nobody", () =>
  expect(lineOf({ id: "1", resource: {}, scope: {}, record: at })).toEqual({
    time,
    text: "",
    service: "",
    pod: "",
    container: "",
  }));

test.each([
  ["warn", 13],
  ["WARNING", 13],
  ["fatal", 21],
])("%s is from severity %d on", (level, number) => expect(severity(level)).toBe(number));
test("a level that there is not", () => expect(() => severity("loud")).toThrow(/--level loud: one of trace, debug/));

/** Answers one look after the other, and an error where there is one. */
function telling(...looks: (readonly FoundLog[] | Error)[]) {
  const asked: LogSearch[] = [];
  const logs = async (search: LogSearch) => {
    asked.push(search);
    const look = looks[asked.length - 1] ?? [];
    if (look instanceof Error) throw look;
    return [...look];
  };
  return { telemetry: { logs } as unknown as Telemetry, asked };
}

const said = (text: string, id: string) => found({ ...at, body: { stringValue: text } }, id);

test("what matches, once", async () => {
  const { telemetry } = telling([said("a", "1"), said("b", "2")]);
  const lines = await Array.fromAsync(foundLines(telemetry, {}, false));
  expect(lines.map(({ text }) => text)).toEqual(["a", "b"]);
});

test("what comes later is asked for after what came last, also when telemetry was away meanwhile", async () => {
  vi.useFakeTimers();
  try {
    const away = new CommandError("Telemetry does not answer");
    const { telemetry, asked } = telling([said("b", "10"), said("a", "9")], away, [said("c", "11")]);
    const lines = foundLines(telemetry, { grep: "x" }, true);
    const next = async () => {
      const answer = lines.next();
      await vi.advanceTimersByTimeAsync(1000);
      return ((await answer).value as { text: string }).text;
    };
    expect([await next(), await next(), await next()]).toEqual(["b", "a", "c"]);
    expect(asked.slice(0, 3)).toEqual([{ grep: "x" }, { grep: "x", after: "10" }, { grep: "x", after: "10" }]);
    await lines.return(undefined);
  } finally {
    vi.useRealTimers();
  }
});

test("an error at the first look, and a bug at any, end it", async () => {
  const first = foundLines(telling(new CommandError("no answer")).telemetry, {}, true);
  await expect(first.next()).rejects.toThrow("no answer");
  vi.useFakeTimers();
  try {
    const later = foundLines(telling([said("a", "1")], new TypeError("a bug")).telemetry, {}, true);
    await later.next();
    const failing = expect(later.next()).rejects.toThrow("a bug");
    await vi.advanceTimersByTimeAsync(1000);
    await failing;
  } finally {
    vi.useRealTimers();
  }
});
