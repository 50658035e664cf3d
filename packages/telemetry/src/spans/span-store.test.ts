import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeTraces } from "../otlp/codec.ts";
import type { Span, TracesData } from "../otlp/types.ts";
import { MalformedError, UnavailableError } from "../sink.ts";
import type { TraceSearch } from "../telemetry.ts";
import type { SpanStore } from "./span-store.ts";
import { type Given, hex, World } from "./spans.fixture.ts";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const spansOf = (data: TracesData | undefined): Span[] =>
  (data?.resourceSpans ?? []).flatMap(({ scopeSpans }) => (scopeSpans ?? []).flatMap(({ spans }) => spans ?? []));
const fillers = new Map<number, Uint8Array>();
/** Enough to seal what is in the head. */
const fill = (store: SpanStore, at = 0) => {
  const spans = Array.from({ length: 1000 }, (_, index) => ({ at, traceId: hex(2 ** 40 + index, 32) }));
  if (!fillers.has(at)) fillers.set(at, world.request("filler", ...spans));
  store.add(fillers.get(at) as Uint8Array);
  store.add(world.request("filler", { at }));
};
/** The same in the head, in a block, and after a kill. */
const places = ["head", "block", "killed"] as const;
const placed = async (place: (typeof places)[number], add: (store: SpanStore) => void): Promise<SpanStore> => {
  const store = world.open();
  add(store);
  if (place === "block") fill(store, -60_000);
  if (place !== "killed") return store;
  await world.kill();
  return world.open();
};

describe.each(places)("what was sent is what comes out: %s", (place) => {
  const full: Span = {
    traceId: hex(2 ** 44, 32),
    spanId: hex(1, 16),
    parentSpanId: hex(2, 16),
    traceState: "vendor=x",
    flags: 257,
    name: "größer 🚀",
    kind: 3,
    startTimeUnixNano: "0",
    endTimeUnixNano: "0",
    attributes: [
      { key: "text", value: { stringValue: "värde" } },
      { key: "int", value: { intValue: "-9223372036854775808" } },
      { key: "double", value: { doubleValue: Number.NaN } },
      { key: "yes", value: { boolValue: true } },
      { key: "bytes", value: { bytesValue: "AAEC" } },
      { key: "list", value: { arrayValue: { values: [{ intValue: "1" }, { stringValue: "b" }] } } },
      { key: "map", value: { kvlistValue: { values: [{ key: "k", value: { boolValue: false } }] } } },
      { key: "nothing" },
    ],
    droppedAttributesCount: 3,
    events: [{ timeUnixNano: "5", name: "e", attributes: [{ key: "a", value: { stringValue: "b" } }] }],
    droppedEventsCount: 4,
    links: [{ traceId: hex(9, 32), spanId: hex(9, 16), traceState: "l=1", flags: 1 }],
    droppedLinksCount: 5,
    status: { message: "broken", code: 2 },
  };
  const cases: [string, (world: World) => Partial<Span>][] = [
    ["all fields", () => ({})],
    ["a status of a code alone", () => ({ status: { code: 1 } })],
    ["an empty status", () => ({ status: {} })],
    ["no end", () => ({ endTimeUnixNano: undefined })],
    ["an end before the start", ({ begin }) => ({ endTimeUnixNano: `${BigInt(begin) * 1_000_000n - 1n}` })],
    ["an end that is far away", () => ({ endTimeUnixNano: "18446744073709551615" })],
    ["no name, no kind", () => ({ name: undefined, kind: undefined })],
    ["a parent of zeros", () => ({ parentSpanId: hex(0, 16) })],
    ["a very long name", () => ({ name: "n".repeat(40_000) })],
  ];
  test.each(cases)("%s", async (_, change) => {
    const start = `${BigInt(world.begin) * 1_000_000n + 123_456_789n}`;
    const span = { ...full, startTimeUnixNano: start, endTimeUnixNano: start, ...change(world) };
    for (const [key, value] of Object.entries(span)) if (value === undefined) delete span[key as keyof Span];
    const sent: TracesData = {
      resourceSpans: [
        {
          resource: { attributes: [{ key: "service.name", value: { stringValue: "s" } }], droppedAttributesCount: 1 },
          scopeSpans: [{ scope: { name: "n", version: "v" }, spans: [span], schemaUrl: "scope" }],
          schemaUrl: "resource",
        },
      ],
    };
    const store = await placed(place, (store) => store.add(encodeTraces(sent)));
    expect(await world.of(store.trace(span.traceId))).toEqual(sent);
  });
});

describe.each(places)("searches: %s", (place) => {
  const found = async (search: TraceSearch) => {
    const store = await placed(place, (store) => {
      store.add(world.request("orders", { name: "fast", at: 1000, lasts: 5, attributes: { "order.id": "o-1", n: 1 } }));
      store.add(
        world.request("orders", { name: "slow", at: 2000, lasts: 250, attributes: { "order.id": "o-2", n: 1.5 } }),
      );
      const attributes = { ok: true, nan: Number.NaN, deep: "[1]" };
      store.add(world.request("payments", { name: "pay", at: 3000, status: { code: 2 }, attributes }));
      store.add(world.request("payments", { name: "fine", at: 4000, status: { code: 1, message: "m" }, lasts: 0 }));
      const list = world.span({ name: "list", at: 5000 });
      list.attributes = [{ key: "deep", value: { arrayValue: { values: [{ intValue: "1" }] } } }];
      list.events = [{ name: "e", attributes: [{ key: "order.id", value: { stringValue: "o-1" } }] }];
      store.add(encodeTraces(world.data("orders", list)));
    });
    const traces = await world.of(store.traces(search));
    return traces.filter(({ service }) => service !== "filler").map(({ operation }) => operation);
  };
  const begin = Date.UTC(2026, 0, 1);
  test.each<[string, TraceSearch, string[]]>([
    ["everything, newest first", {}, ["list", "fine", "pay", "slow", "fast"]],
    ["limit: the newest", { limit: 2 }, ["list", "fine"]],
    ["service", { service: "payments" }, ["fine", "pay"]],
    ["no such service", { service: "payment" }, []],
    ["operation", { operation: "slow" }, ["slow"]],
    ["operation is the whole name", { operation: "slo" }, []],
    ["longer than", { minDuration: 5 }, ["slow", "fast"]],
    ["shorter than", { maxDuration: 0.5 }, ["fine"]],
    ["errors", { status: "error" }, ["pay"]],
    ["ok", { status: "ok" }, ["fine"]],
    ["unset", { status: "unset", service: "orders" }, ["list", "slow", "fast"]],
    ["from, included", { from: begin + 3000 }, ["list", "fine", "pay"]],
    ["to, included", { to: begin + 2000, from: begin }, ["slow", "fast"]],
    ["between", { from: begin + 2000, to: begin + 3000 }, ["pay", "slow"]],
    ["attribute, not of events", { attributes: { "order.id": "o-1" } }, ["fast"]],
    ["attribute that is longer", { attributes: { "order.id": "o-" } }, []],
    ["integer", { attributes: { n: "1" } }, ["fast"]],
    ["double", { attributes: { n: "1.5" } }, ["slow"]],
    ["boolean", { attributes: { ok: "true" } }, ["pay"]],
    ["NaN", { attributes: { nan: "NaN" } }, ["pay"]],
    ["list or text of the same looks", { attributes: { deep: "[1]" } }, ["list", "pay"]],
    ["of the resource", { attributes: { "host.id": "h1" }, service: "payments" }, ["fine", "pay"]],
    ["of both", { attributes: { "host.id": "h1", "order.id": "o-2" } }, ["slow"]],
    ["all must hold", { attributes: { "order.id": "o-1", n: "2" } }, []],
    ["service and duration", { service: "orders", minDuration: 100 }, ["slow"]],
  ])("%s", async (_, search, expected) => expect(await found({ limit: 5, ...search })).toEqual(expected));
});

describe("a trace", () => {
  const traceId = hex(77, 32);
  test("in several blocks and the head is whole", async () => {
    const store = world.open();
    const parts: [string, Given][] = [
      ["web", { traceId, spanId: hex(1, 16), at: 0, lasts: 100, name: "root" }],
      ["orders", { traceId, spanId: hex(2, 16), parentSpanId: hex(1, 16), at: 10, lasts: 20 }],
      ["payments", { traceId, spanId: hex(3, 16), parentSpanId: hex(2, 16), at: 15, lasts: 200, status: { code: 2 } }],
    ];
    for (const [service, span] of parts) {
      store.add(world.request(service, span));
      if (service !== "payments") fill(store);
    }
    expect(spansOf(await world.of(store.trace(traceId)))).toHaveLength(3);
    expect(await world.of(store.traces({ service: "payments" }))).toEqual([
      {
        traceId,
        service: "web",
        operation: "root",
        start: world.begin,
        duration: 215,
        spans: 3,
        errors: 1,
        services: { web: 1, orders: 1, payments: 1 },
      },
    ]);
  });
  test("sent twice is there once", async () => {
    const store = world.open();
    const request = world.request("web", { traceId });
    store.add(request);
    fill(store);
    store.add(request);
    store.add(request);
    expect(spansOf(await world.of(store.trace(traceId)))).toHaveLength(1);
    expect((await world.of(store.traces({ service: "web" })))[0]?.spans).toBe(1);
  });
  test("whose root has not come is named by its earliest span", async () => {
    const store = world.open();
    store.add(world.request("b", { traceId, parentSpanId: hex(9, 16), at: 5, name: "later" }));
    store.add(world.request("a", { traceId, parentSpanId: hex(9, 16), at: 2, name: "first" }));
    expect(await world.of(store.traces({}))).toMatchObject([{ service: "a", operation: "first" }]);
    store.add(world.request("c", { traceId, at: 3, name: "root" }));
    expect(await world.of(store.traces({}))).toMatchObject([{ service: "c", operation: "root" }]);
  });
  test.each(["", "77", hex(77, 31), `${hex(77, 31)}x`, hex(78, 32)])("that is not there: %j", async (id) =>
    expect(await world.of(world.open().trace(id))).toBeUndefined(),
  );
  test("of upper-case letters is the same", async () => {
    const store = world.open();
    store.add(world.request("web", { traceId: hex(0xab, 32) }));
    expect(spansOf(await world.of(store.trace(hex(0xab, 32).toUpperCase())))).toHaveLength(1);
  });
  test("of too many spans is given in part", async () => {
    const store = world.open({ traceSpans: 10 });
    store.add(world.request("web", ...Array.from({ length: 30 }, () => ({ traceId }))));
    expect(spansOf(await world.of(store.trace(traceId)))).toHaveLength(10);
    expect((await world.of(store.traces({})))[0]?.spans).toBe(30);
  });
});

describe("bad input", () => {
  const day = 86_400_000;
  test.each<[string, Given, string]>([
    ["a trace id of zeros", { traceId: hex(0, 32) }, "invalid id"],
    ["no trace id", { traceId: "" }, "invalid id"],
    ["a short trace id", { traceId: hex(1, 16) }, "invalid id"],
    ["a span id of zeros", { spanId: hex(0, 16) }, "invalid id"],
    ["no span id", { spanId: "" }, "invalid id"],
    ["years ago", { at: -1000 * day }, "too old"],
    ["no start", { startTimeUnixNano: undefined }, "too old"],
    ["in the future", { at: 2 * 3_600_000 }, "too new"],
    ["far in the future", { startTimeUnixNano: "18446744073709551615" }, "too new"],
    ["too large", { attributes: { a: "x".repeat(2 << 20) } }, "too large"],
  ])("%s is refused with a count, its neighbour is taken", async (_, given, reason) => {
    const store = world.open();
    const taken = store.add(world.request("web", given, { name: "good" }));
    expect(taken).toEqual({ taken: 1, rejected: 1, message: `spans not taken: ${reason}: 1` });
    expect(world.losses.list()).toEqual([{ signal: "traces", reason, count: 1 }]);
    expect(await world.of(store.traces({}))).toMatchObject([{ operation: "good" }]);
  });
  test.each<[string, (good: Buffer) => Buffer]>([
    ["cut off", (good) => good.subarray(0, -1)],
    ["cut off within a span", (good) => good.subarray(0, good.length >> 1)],
    ["a byte more", (good) => Buffer.concat([good, Buffer.from([0x0a])])],
    ["no protobuf", () => Buffer.from("hello, this is no protobuf")],
    ["a length of 2^32", () => Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ["an endless number", () => Buffer.alloc(30, 0xff)],
    ["spans as a number", () => Buffer.from([0x08, 1])],
  ])("malformed, nothing of it is taken: %s", async (_, change) => {
    const store = world.open();
    store.add(world.request("web", { name: "before" }));
    const bad = change(Buffer.from(world.request("other", { name: "a", lasts: 2 }, { name: "b" })));
    expect(() => store.add(bad)).toThrow(MalformedError);
    store.add(world.request("web", { name: "after" }));
    expect((await world.of(store.traces({}))).map(({ operation }) => operation).sort()).toEqual(["after", "before"]);
    expect(await world.of(store.traces({ service: "other" }))).toEqual([]);
    // The receiver counts the request.
    expect(world.losses.list()).toEqual([]);
  });
  test("no byte changed makes a request that is taken but cannot be read", async () => {
    const store = world.open();
    const attributes = { text: "a", number: 5, yes: true };
    const good = Buffer.from(
      world.request("web", { traceId: hex(5, 32), status: { code: 2, message: "m" }, attributes }),
    );
    for (let at = 0; at < good.length; at++)
      for (const value of [0, 1, 0x0a, 0x7f, 0xff]) {
        const bad = Buffer.from(good);
        bad[at] = value;
        try {
          store.add(bad);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
        }
      }
    for (const { traceId } of await world.of(store.traces({ limit: 10_000 })))
      expect(await world.of(store.trace(traceId))).toBeDefined();
  });
  test("an empty request is no span", () =>
    expect(world.open().add(new Uint8Array())).toEqual({ taken: 0, rejected: 0 }));
  test("a hundred thousand names take no more than their blocks", async () => {
    const store = world.open();
    for (let count = 0; count < 100_000; count += 1000) {
      const spans = Array.from({ length: 1000 }, (_, index) => ({ name: `name ${count + index}` }));
      store.add(world.request("web", ...spans));
    }
    expect(store.stats().records).toBe(100_000);
    expect(await world.of(store.traces({ operation: "name 77777" }))).toMatchObject([{ operation: "name 77777" }]);
  });
});

describe("a full disk", () => {
  test("refuses, counts, still finds, and takes again when there is room", async () => {
    const store = world.open();
    store.add(world.request("web", { name: "before" }));
    world.free = 0;
    await world.simulation.advance(200);
    expect(() => store.add(world.request("web", {}, {}))).toThrow(UnavailableError);
    expect(world.losses.list()).toEqual([{ signal: "traces", reason: "disk full", count: 2 }]);
    expect(store.stats().fault).toContain("0 bytes are free");
    expect(await world.of(store.traces({}))).toMatchObject([{ operation: "before" }]);
    world.free = Number.POSITIVE_INFINITY;
    await world.simulation.advance(1000);
    expect(store.add(world.request("web", { name: "after", at: 1 }))).toEqual({ taken: 1, rejected: 0 });
    expect((await world.of(store.traces({}))).map(({ operation }) => operation)).toEqual(["after", "before"]);
  });
  test("with a full head, memory stays bounded", async () => {
    const store = world.open({ blockSpans: 32_768 });
    world.free = 0;
    const request = world.request("web", ...Array.from({ length: 5000 }, () => ({})));
    let refused = 0;
    for (let count = 0; count < 20; count++) {
      try {
        store.add(request);
      } catch (error) {
        expect(error).toBeInstanceOf(UnavailableError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(10);
    expect(store.stats().records).toBeLessThan(50_000);
  });
});

describe("statistics", () => {
  test("say what is there and what was recovered", async () => {
    const store = world.open();
    expect(store.stats()).toMatchObject({ records: 0, oldest: undefined, recovered: { clean: true } });
    store.add(world.request("web", { at: -500 }, { at: 0 }));
    expect(store.stats()).toMatchObject({ records: 2, represented: 2, oldest: world.begin - 500 });
    await world.kill();
    expect(world.open().stats()).toMatchObject({ records: 2, recovered: { clean: false, records: 1, torn: 0 } });
  });
  test("count over blocks", () => {
    const store = world.open();
    fill(store);
    expect(store.stats().records).toBe(1001);
    expect(store.stats().bytesOnDisk).toBeGreaterThan(1001 * 8);
  });
});
