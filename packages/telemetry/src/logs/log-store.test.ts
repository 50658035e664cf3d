import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, type Simulation, simulation } from "@flotilla/ambient";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { attributesOf, textOf } from "../attributes.ts";
import { encodeLogs } from "../otlp/codec.ts";
import type { LogRecord, LogsData, ResourceLogs } from "../otlp/types.ts";
import { Losses, MalformedError, UnavailableError } from "../sink.ts";
import type { LogSearch } from "../telemetry.ts";
import { LogStore } from "./log-store.ts";

let folder: string;
let world: Simulation;
let opened: LogStore[];
let free: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "logs-"));
  world = simulation(1);
  opened = [];
  free = Number.POSITIVE_INFINITY;
});
afterEach(() => {
  for (const store of opened) store.close();
  rmSync(folder, { recursive: true, force: true });
});

const hour = 3_600_000;
const start = Date.UTC(2026, 0, 1);

function open(limits: Partial<{ age: number; bytes: number }> = {}, losses = new Losses()) {
  const all = { age: 24 * hour, bytes: 64 << 20, reserve: 1000, ...limits };
  const store = LogStore.open({ folder, clock: world.clock, losses, limits: all, free: () => free });
  opened.push(store);
  return store;
}

const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const nanos = (ms: number) => `${start + ms}000000`;
const resource = (service: string, more: Record<string, string> = {}) => ({
  attributes: attributesOf({ "service.name": service, ...more }),
});
const record = (text: string, more: LogRecord = {}): LogRecord => ({
  timeUnixNano: nanos(0),
  body: { stringValue: text },
  ...more,
});
const from = (service: string, ...logRecords: LogRecord[]): ResourceLogs => ({
  resource: resource(service),
  scopeLogs: [{ logRecords }],
});
const add = (store: LogStore, ...resourceLogs: ResourceLogs[]) => store.add(encodeLogs({ resourceLogs }));
const texts = async (store: LogStore, search: LogSearch = {}) =>
  (await store.logs(search)).map(({ record: { body } }) => textOf(body));

/** What a killed process leaves: nothing is closed. */
const kill = async () => {
  await world.advance(200);
  opened.pop();
};

/** Enough for several blocks. */
function fill(store: LogStore, count: number, textOf = (index: number) => `line ${index}`, more: LogRecord = {}) {
  for (let at = 0; at < count; at += 1000)
    add(
      store,
      from(
        "filler",
        ...Array.from({ length: 1000 }, (_, index) =>
          record(textOf(at + index), { timeUnixNano: nanos(at + index), ...more }),
        ),
      ),
    );
}

describe("what was sent is what is found", () => {
  const everything: LogRecord = {
    timeUnixNano: "1795262400123456789",
    observedTimeUnixNano: "1795262400123456790",
    severityNumber: 17,
    severityText: "ERR",
    body: { kvlistValue: { values: [{ key: "a", value: { arrayValue: { values: [{ intValue: "-1" }, {}] } } }] } },
    attributes: [
      { key: "double", value: { doubleValue: 0.5 } },
      { key: "bytes", value: { bytesValue: "AAE=" } },
      { key: "none" },
    ],
    droppedAttributesCount: 3,
    flags: 1,
    traceId: trace,
    spanId: "00f067aa0ba902b7",
  };
  test.each<[name: string, record: LogRecord]>([
    ["all fields", everything],
    ["a text", { ...everything, body: { stringValue: "text\nof two lines é" } }],
    ["an empty text", { body: { stringValue: "" } }],
    ["nothing at all", {}],
    ["a time only", { timeUnixNano: "1" }],
    ["observed only", { observedTimeUnixNano: "1795262400000000001" }],
    ["observed before its time", { timeUnixNano: "1795262400000000001", observedTimeUnixNano: "1795262399999999999" }],
    ["the last time there is", { timeUnixNano: "18446744073709551615" }],
    ["a number", { body: { intValue: "9223372036854775807" } }],
    ["a severity out of range", { severityNumber: 300 }],
    ["an id of another length", { traceId: "abcd", spanId: "ef" }],
  ])("%s", async (_, sent) => {
    const store = open();
    add(store, from("orders", sent));
    expect((await store.logs({}))[0]?.record).toEqual(sent);
    store.close();
    const again = open();
    expect((await again.logs({}))[0]?.record).toEqual(sent);
  });

  test("an event", async () => {
    const store = open();
    add(store, from("orders", { ...everything, eventName: "k8s.event" }));
    expect((await store.logs({ event: "*" }))[0]?.record).toEqual({ ...everything, eventName: "k8s.event" });
  });

  test("resource, scope and schemas", async () => {
    const store = open();
    const scope = { name: "s", version: "1", attributes: attributesOf({ a: 1 }) };
    const sent: LogsData = {
      resourceLogs: [
        {
          resource: resource("a", { "k8s.pod.name": "p" }),
          schemaUrl: "r",
          scopeLogs: [{ scope, schemaUrl: "x", logRecords: [record("1")] }],
        },
        { scopeLogs: [{ logRecords: [record("2")] }] },
      ],
    };
    store.add(encodeLogs(sent));
    const found = await store.logs({});
    expect(found[0]).toMatchObject({
      resource: resource("a", { "k8s.pod.name": "p" }),
      scope,
      resourceSchemaUrl: "r",
      scopeSchemaUrl: "x",
    });
    expect(found[1]).toMatchObject({ resource: {}, scope: {} });
  });

  test("what is malformed is refused, all of it", async () => {
    const store = open();
    const good = encodeLogs({ resourceLogs: [from("a", record("1", { attributes: attributesOf({ a: "b" }) }))] });
    for (let length = 1; length < good.length; length++)
      expect(() => store.add(good.subarray(0, length)), `cut at ${length}`).toThrow(MalformedError);
    expect(await texts(store)).toEqual([]);
    expect(store.add(good)).toEqual({ taken: 1, rejected: 0 });
  });
});

describe("a search", () => {
  const placed = { observedTimeUnixNano: nanos(5000) };
  const world1 = [
    from(
      "orders",
      record("paid order 17", { severityNumber: 9, attributes: attributesOf({ user: "ann", code: 200 }) }),
      record("no such order", {
        timeUnixNano: nanos(1000),
        severityNumber: 17,
        traceId: trace,
        spanId: "00f067aa0ba902b7",
      }),
    ),
    {
      ...from("cart", record("Paid nothing", { timeUnixNano: nanos(2000), severityNumber: 13 })),
      resource: resource("cart", { "k8s.pod.name": "cart-0" }),
    },
    from("orders", {
      ...placed,
      body: { stringValue: "late" },
      attributes: attributesOf({ user: "bob", code: "200" }),
    }),
    from(
      "k8s",
      record("scaled", { eventName: "k8s.event", timeUnixNano: nanos(3000) }),
      record("changed", { eventName: "flotilla.change", timeUnixNano: nanos(4000) }),
    ),
  ];

  const cases: [search: LogSearch, found: string[]][] = [
    [{}, ["paid order 17", "no such order", "Paid nothing", "late"]],
    [{ from: start + 1000, to: start + 2000 }, ["no such order", "Paid nothing"]],
    [{ from: start + 2001 }, ["late"]],
    [{ services: ["orders"] }, ["paid order 17", "no such order", "late"]],
    [{ services: ["cart", "none"] }, ["Paid nothing"]],
    [{ services: [] }, []],
    [{ attributes: { user: "ann" } }, ["paid order 17"]],
    [{ attributes: { code: "200" } }, ["paid order 17", "late"]],
    [{ attributes: { code: "200", user: "bob" } }, ["late"]],
    [{ attributes: { "k8s.pod.name": "cart-0" } }, ["Paid nothing"]],
    [{ attributes: { unknown: "x" } }, []],
    [{ traceId: trace }, ["no such order"]],
    [{ traceId: trace.toUpperCase() }, ["no such order"]],
    [{ traceId: trace.replace("4", "5") }, []],
    [{ spanId: "00f067aa0ba902b7" }, ["no such order"]],
    [{ spanId: "00f067aa0ba902b8" }, []],
    [{ minSeverity: 13 }, ["no such order", "Paid nothing"]],
    [{ minSeverity: 18 }, []],
    [{ grep: "order" }, ["paid order 17", "no such order"]],
    [{ grep: "paid", ignoreCase: true }, ["paid order 17", "Paid nothing"]],
    [{ grep: "^[pP]aid" }, ["paid order 17", "Paid nothing"]],
    [{ grep: "order \\d+$" }, ["paid order 17"]],
    [{ grep: "17|nothing" }, ["paid order 17", "Paid nothing"]],
    [{ grep: "" }, ["paid order 17", "no such order", "Paid nothing", "late"]],
    [{ grep: "order", services: ["cart"] }, []],
    [{ event: "*" }, ["scaled", "changed"]],
    [{ event: "k8s.event" }, ["scaled"]],
    [{ event: "other" }, []],
    [{ event: "*", grep: "chang" }, ["changed"]],
    [{ limit: 2 }, ["Paid nothing", "late"]],
    [{ limit: 0 }, []],
    [{ after: "0", limit: 2 }, ["paid order 17", "no such order"]],
  ];
  test.each(cases)("in the head: %o", async (search, found) => {
    const store = open();
    add(store, ...world1);
    expect(await texts(store, search)).toEqual(found);
  });
  test("in blocks: all of these", async () => {
    const store = open();
    add(store, ...world1);
    fill(store, 17_000, undefined, { eventName: "filler" });
    expect(store.stats().records).toBe(17_006);
    for (const [search, found] of cases) {
      const all = await texts(store, { ...search, ...(search.event === "*" && { limit: 20_000 }) });
      expect(
        all.filter((text) => !text.startsWith("line")),
        JSON.stringify(search),
      ).toEqual(found);
    }
  });

  test("finds the newest of many blocks, whatever the order in which they came", async () => {
    const store = open();
    fill(store, 20_000);
    add(store, from("late", record("first of all", { timeUnixNano: nanos(-1) })));
    fill(store, 20_000);
    expect((await texts(store, { limit: 3 })).at(-1)).toBe("line 19999");
    expect(await texts(store, { limit: 1, to: start - 1 })).toEqual(["first of all"]);
    expect(await store.logs({ limit: 1e6 })).toHaveLength(40_001);
  });

  test("follows: each page goes on where the last one ended", async () => {
    const store = open();
    fill(store, 25_000);
    const found: string[] = [];
    for (let after = "0"; ; ) {
      const page = await store.logs({ after, limit: 4000 });
      if (page.length === 0) break;
      found.push(...page.map(({ record: { body } }) => textOf(body)));
      after = page
        .map(({ id }) => id)
        .sort()
        .at(-1) as string;
    }
    expect(found).toEqual(Array.from({ length: 25_000 }, (_, index) => `line ${index}`));
    add(store, from("late", record("new, of long ago", { timeUnixNano: nanos(-hour) })));
    expect(
      await texts(store, { after: (await store.logs({ limit: 1, to: start + 24_999, from: start + 24_999 }))[0]?.id }),
    ).toEqual(["new, of long ago"]);
  });

  test("lets others work", async () => {
    fill(open(), 40_000);
    opened.pop()?.close();
    let turns = 0;
    let now = start;
    // Each look at it takes 10 ms.
    const clock: Clock = {
      ...world.clock,
      now: () => (now += 10),
      soon(run) {
        turns++;
        queueMicrotask(run);
      },
    };
    const limits = { age: 24 * hour, bytes: 1 << 30 };
    const store = LogStore.open({ folder, clock, losses: new Losses(), limits, free: () => free });
    opened.push(store);
    expect(await texts(store, { grep: "[0-9]+ x+y" })).toEqual([]);
    expect(turns).toBeGreaterThan(1);
  });
});

describe("more than an answer may hold", () => {
  const large = (): LogStore => {
    const store = open();
    for (let at = 0; at < 30; at++)
      add(store, from("large", record(`${at} ${"x".repeat(500_000)}`, { timeUnixNano: nanos(at) })));
    return store;
  };
  test("is refused with what to do", async () => {
    const store = large();
    await expect(store.logs({})).rejects.toThrow("ask for fewer lines or a shorter time");
    expect(await store.logs({ limit: 10 })).toHaveLength(10);
    expect(await store.logs({ grep: "^2\\d " })).toHaveLength(10);
  });
  test("comes one after the other to whoever follows", async () => {
    const store = large();
    const seen: string[] = [];
    for (let after = "0", looks = 0; looks < 10; looks++)
      for (const { id, record } of await store.logs({ after })) {
        seen.push(record.body?.stringValue?.split(" ")[0] as string);
        after = id;
      }
    expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => String(index)));
  });
  test("is found all the same by whoever has room", async () =>
    expect(await large().logs({}, Number.POSITIVE_INFINITY)).toHaveLength(30));
});

describe("what cannot be searched for", () => {
  test.each<[search: LogSearch, message: string]>([
    [{ grep: "a(b" }, "1:2: Unterminated group"],
    [{ grep: "a[b" }, "1:2: Unterminated character class"],
    [{ grep: "ab)" }, "1:3: Unmatched ')'"],
    [{ grep: "a**" }, "1:3: Nothing to repeat"],
    [{ grep: "a\\" }, "1:2: \\ at end of pattern"],
    [{ grep: "x{3,1}" }, "1:6: numbers out of order in {} quantifier"],
    [{ grep: "x".repeat(1001) }, "1:1001: expressions have at most 1000 characters"],
    [{ traceId: "zz" }, "a trace id has 32 hex digits"],
    [{ after: "zz" }, "after: zz is no record's id"],
  ])("%o", async (search, message) => expect(open().logs(search)).rejects.toThrow(message));

  test.each(["(a+)+$", "(a|aa)+$", "(x+x+)+y|(a*)*b$"])("an expression that would take for ever: %s", async (grep) => {
    const store = open();
    add(store, from("a", record(`${"a".repeat(60)}!`), record(`${"x".repeat(60)}!`)));
    await expect(store.logs({ grep })).rejects.toThrow("takes too long");
    expect(await texts(store, { grep: "x!" })).toHaveLength(1);
  });
});

describe("what stays", () => {
  test("everything after a kill, but for the last moment", async () => {
    const store = open();
    fill(store, 20_000);
    add(store, from("a", record("last")));
    await kill();
    const again = open();
    expect(await again.logs({ limit: 1e6 })).toHaveLength(20_001);
    expect(again.stats()).toMatchObject({ records: 20_001, oldest: start, recovered: { clean: false } });
  });

  test("ids grow over a kill, also beyond what it lost", async () => {
    const store = open();
    add(store, from("a", record("kept")));
    await world.advance(1000);
    add(store, from("a", record("lost")));
    const [lost] = await store.logs({ grep: "lost" });
    opened.pop();
    await world.advance(1);
    rmSync(folder, { recursive: true });
    const again = open();
    add(again, from("a", record("new")));
    expect(await texts(again, { after: lost?.id })).toEqual(["new"]);
  });

  test("nothing that is too old, and not more than there is room for", async () => {
    const store = open({ age: hour, bytes: 300_000 });
    fill(store, 20_000, (index) => `line ${index} ${Math.sin(index)}`);
    fill(store, 40_000, (index) => `line ${index} ${Math.cos(index)}`);
    expect(store.stats().bytesOnDisk).toBeLessThan(2_500_000);
    expect(store.stats().records).toBeLessThan(60_000);
    await world.advance(3 * hour);
    expect(store.stats().records).toBeLessThan(20_000);
  });

  test("a full disk refuses, loses nothing that was taken, and takes again", async () => {
    const store = open();
    add(store, from("a", record("before")));
    await world.advance(300);
    free = 0;
    expect(() => {
      for (let round = 0; round < 100; round++) fill(store, 10_000);
    }).toThrow(UnavailableError);
    expect(await texts(store, { services: ["a"] })).toEqual(["before"]);
    const { records } = store.stats();
    free = Number.POSITIVE_INFINITY;
    await world.advance(2000);
    add(store, from("a", record("after")));
    expect(await texts(store, { services: ["a"] })).toEqual(["before", "after"]);
    expect(store.stats().records).toBe(records + 1);
  });

  test("as many values of a label as records", async () => {
    const store = open();
    for (let round = 0; round < 20; round++)
      add(
        store,
        ...Array.from({ length: 1000 }, (_, index) => ({
          ...from("a", record("x")),
          resource: resource("a", { user: `user-${round * 1000 + index}` }),
        })),
      );
    expect(await store.logs({ attributes: { user: "user-17777" } })).toHaveLength(1);
    expect(store.stats().records).toBe(20_000);
  });
});
