import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Metric } from "../otlp/types.ts";
import {
  add,
  begin,
  crash,
  day,
  ever,
  files,
  folder,
  hour,
  lost,
  minute,
  named,
  now,
  open,
  run,
  second,
  simulated,
  store,
  valuesOf,
} from "./metric-store.fixture.ts";
import { counter, gauge, nano, point } from "./metrics.fixture.ts";

describe("after a crash", () => {
  test("everything is there that came in 200 ms before", async () => {
    open();
    add({ ...counter("c", point(begin, 5)), description: "Counted." });
    await simulated.advance(200);
    crash();
    expect(valuesOf("c_total")).toEqual([[5]]);
    expect(store.metadata().get("c_total")?.help).toBe("Counted.");
    expect(store.stats().recovered).toEqual({ records: 1, clean: false, torn: 0, damaged: [] });
  });

  test("what the next process stops in order is told as that, though it keeps what was before", async () => {
    open();
    add(gauge("g", point(begin, 1)));
    await simulated.advance(200);
    crash();
    add(gauge("g", point(begin + second, 2)));
    store.close();
    open();
    expect(store.stats().recovered).toMatchObject({ clean: true, records: 2 });
    expect(valuesOf("g")).toEqual([[1, 2]]);
  });

  test("a torn end is cut off and said", async () => {
    open();
    add(gauge("g", point(begin, 1)));
    await simulated.advance(200);
    appendFileSync(join(folder, files("journal")[0] as string), Buffer.from([9, 0, 0, 0, 1, 2, 3]));
    crash();
    expect(valuesOf("g")).toEqual([[1]]);
    expect(store.stats().recovered).toMatchObject({ torn: 7, clean: false });
  });

  test("again and again", async () => {
    open();
    for (let round = 0; round < 4; round++) {
      add(gauge("g", point(now(), round)));
      await simulated.advance(second);
      crash();
    }
    expect(valuesOf("g")).toEqual([[0, 1, 2, 3]]);
  });

  test("while a block was being written", async () => {
    open();
    await run(2 * hour - minute, minute, (count) => gauge("g", point(now(), count)));
    await simulated.advance(minute);
    writeFileSync(join(folder, "block-00000009.metrics.tmp"), "half");
    crash();
    expect(valuesOf("g")[0]).toHaveLength(119);
    expect(files(".tmp")).toEqual([]);
  });

  test("a stop in order is told apart", () => {
    open();
    add(gauge("g", point(begin, 1)));
    store.close();
    open();
    expect(store.stats().recovered).toMatchObject({ clean: true, records: 1 });
  });
});

describe("with time", () => {
  test("memory becomes blocks, whose journals go", async () => {
    open();
    await run(5 * hour, minute, (count) => counter("c", point(now(), count)));
    expect(files(".metrics")).toHaveLength(2);
    expect(files("journal")).toHaveLength(1);
    expect(valuesOf("c_total")).toEqual([Array.from({ length: 300 }, (_, index) => index)]);
  });

  test("older samples are fewer; counters still say the same increase", async () => {
    open();
    await run(20 * day, 10 * minute, (count) => counter("c", point(now(), count % 1000)));
    const stats = store.stats();
    const [values = []] = valuesOf("c_total");
    let increase = 0;
    for (let i = 1; i < values.length; i++) {
      const [before, after] = [values[i - 1] as number, values[i] as number];
      increase += after < before ? after : after - before;
    }
    expect(increase).toBe(2 * 999 + (2880 % 1000) - 1);
    expect(stats.oldest).toBe(begin);
    expect(files(".metrics").length).toBeLessThan(40);
  });

  test("old blocks go by age", async () => {
    open({ maxAge: 2 * day });
    await run(5 * day, 10 * minute, () => gauge("g", point(now(), 1)));
    expect(store.stats().oldest).toBeGreaterThanOrEqual(begin + 2 * day);
    expect(valuesOf("g", { from: begin, to: begin + day })).toEqual([]);
  });

  test("old blocks go by size", async () => {
    open({ maxBytes: 4000 });
    await run(2 * day, 10 * minute, (count) => gauge("g", point(now(), Math.sin(count))));
    expect(store.stats().bytesOnDisk).toBeLessThan(8000);
    expect(valuesOf("g")[0]?.length).toBeGreaterThan(10);
  });

  test("what memory may hold is written earlier when it is much", async () => {
    open({ headBytes: 1024 * 1024 });
    for (let round = 0; round < 12; round++) {
      add(gauge("g", ...Array.from({ length: 10_000 }, (_, index) => point(now(), round, { id: String(index) }))));
      await simulated.advance(15 * second);
    }
    expect(files(".metrics").length).toBeGreaterThan(1);
    expect(valuesOf("g")).toHaveLength(10_000);
    expect(valuesOf("g").every((values) => values.length === 12)).toBe(true);
  });
});

describe("histograms", () => {
  const native = (time: number, ...bucketCounts: number[]): Metric => ({
    name: "h",
    exponentialHistogram: {
      aggregationTemporality: 2,
      dataPoints: [
        {
          timeUnixNano: nano(time),
          scale: 2,
          count: String(bucketCounts.reduce((sum, count) => sum + count, 0)),
          sum: 1.5,
          positive: { offset: -1, bucketCounts: bucketCounts.map(String) },
        },
      ],
    },
  });
  const counts = () =>
    [...store.select([named("h")], ever)][0]?.histograms?.map((each) => Array.from(each?.positive.counts ?? []));

  test("are the same from memory, journal and block", async () => {
    open();
    const rounds = 125;
    await run(rounds * minute, minute, (count) => native(now(), 1 + count, 2, 3 * count));
    const expected = Array.from({ length: rounds }, (_, count) => (count === 0 ? [1, 2] : [1 + count, 2, 3 * count]));
    expect(files(".metrics")).toHaveLength(1);
    expect(counts()).toEqual(expected);
    crash();
    expect(counts()).toEqual(expected);
  });

  test("the same again is nothing, another at the same time is refused", () => {
    open();
    add(native(begin, 1, 2));
    add(native(begin, 1, 2));
    add(native(begin, 1, 3));
    expect(counts()).toEqual([[1, 2]]);
    expect(lost()).toEqual(["1 duplicate"]);
  });
});

test("a question amid writing a block sees everything once", async () => {
  open();
  for (let id = 0; id < 500; id++) add(gauge("g", point(begin, id, { id: String(id) })));
  const seen: number[] = [];
  let turns = 0;
  const look = () => {
    seen.push(valuesOf("g").length, valuesOf("g").flat().length);
    if (++turns < 20) simulated.clock.soon(look);
  };
  await simulated.advance(2 * hour - 10 * second);
  // The store looks after itself every 30 s: at the whole two hours it begins to write, a piece in each turn.
  simulated.clock.after(10 * second, look);
  await simulated.advance(minute);
  expect(files(".metrics")).toHaveLength(1);
  expect(seen).toHaveLength(40);
  expect(new Set(seen)).toEqual(new Set([500]));
});

test("a question for too much is refused with what to do", () => {
  open({ maxSelected: 3 });
  add(gauge("g", ...[1, 2, 3, 4].map((value) => point(begin + value, value))));
  expect(() => valuesOf("g")).toThrow("more than 3 samples; ask for fewer series or a shorter time");
});

test("a question for too many series is refused with what to do", () => {
  open({ maxSelectedSeries: 3 });
  add(gauge("g", ...[1, 2, 3, 4].map((value) => point(begin, value, { id: String(value) }))));
  const why = "more than 3 series; name a metric, a service or a shorter time";
  expect(() => valuesOf("g")).toThrow(why);
  expect(() => store.series([named("g")], ever)).toThrow(why);
});

test("what comes late goes to its place also when earlier samples are in a block", async () => {
  open();
  await run(2 * hour, minute, (count) => gauge("g", point(now(), count)));
  await simulated.advance(minute);
  expect(files(".metrics")).toHaveLength(1);
  add(gauge("g", point(begin + 115.5 * minute, 1000)));
  expect(valuesOf("g")[0]?.slice(-6)).toEqual([115, 1000, 116, 117, 118, 119]);
  expect(lost()).toEqual([]);
});

describe("what is damaged", () => {
  async function withBlocks() {
    open();
    await run(5 * hour, minute, (count) => counter("c", point(now(), count)));
    store.close();
    return files(".metrics").map((name) => join(folder, name));
  }
  test("a block without an end is put aside; the rest is read", async () => {
    const [first = ""] = await withBlocks();
    truncateSync(first, 100);
    open();
    expect(valuesOf("c_total")[0]).toHaveLength(180);
    expect(store.stats().recovered.damaged).toHaveLength(1);
    expect(files(".damaged")).toHaveLength(1);
  });
  test("a page that changed does not keep others from being merged", async () => {
    const [first = ""] = await withBlocks();
    open();
    flip(first, 40);
    await simulated.advance(2 * day);
    expect(store.stats().recovered.damaged).toHaveLength(1);
    expect(files(".metrics").filter((name) => !name.endsWith(".damaged"))).toHaveLength(1);
    expect(store.stats().fault).toBeUndefined();
  });
  test("a journal that is none is put aside", () => {
    const record = Buffer.from([0, 2, 4, 9]);
    const head = Buffer.alloc(8);
    head.writeUInt32LE(record.length, 0);
    head.writeUInt32LE(crc32(record), 4);
    writeFileSync(join(folder, "journal-00000001"), Buffer.concat([head, record]));
    open();
    expect(store.stats().recovered.damaged[0]).toContain("journal-00000001");
    expect(add(gauge("g", point(begin, 1)))).toEqual({ taken: 1, rejected: 0 });
  });
  test("a page that changed is noticed when it is read", async () => {
    const [first = ""] = await withBlocks();
    open();
    flip(first, 40);
    expect(valuesOf("c_total")[0]).toHaveLength(180);
    expect(store.stats().recovered.damaged[0]).toContain("damaged");
  });
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ 0xff;
  writeFileSync(path, bytes);
}
