import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Simulation, simulation } from "@flotilla/ambient";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UnavailableError } from "../sink.ts";
import { BlockStore, type Head, type KeepLimits } from "./block-store.ts";
import type { Draft } from "./segment.ts";

const hour = 3_600_000;
let folder: string;
let world: Simulation;
let open: Lines[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "block-store-"));
  world = simulation(1);
  open = [];
});
afterEach(() => {
  for (const { store } of open) store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The least owner of a block store: keeps lines of text. */
class Lines implements Head<{ first: string }> {
  lines: string[] = [];
  readonly store: BlockStore<{ first: string }>;
  free = Number.POSITIVE_INFINITY;

  constructor(limits: Partial<KeepLimits> = {}) {
    const all = { age: 24 * hour, bytes: 1 << 20, reserve: 1000, ...limits };
    this.store = BlockStore.open({ folder, clock: world.clock, limits: all, head: this, free: () => this.free });
    open.push(this);
  }

  replay(record: Uint8Array): void {
    this.lines.push(Buffer.from(record).toString());
  }

  draft(): Draft<{ first: string }> | undefined {
    const [first] = this.lines;
    if (first === undefined) return;
    const now = world.clock.now();
    const bytes = Buffer.from(this.lines.join("\n"));
    const sections = [{ bytes }, { bytes: Buffer.from(first), plain: true }];
    return { from: now, to: now, rows: this.lines.length, about: { first }, sections };
  }

  clear(): void {
    this.lines = [];
  }

  add(...lines: string[]): this {
    for (const line of lines) {
      this.store.append(Buffer.from(line));
      this.lines.push(line);
    }
    return this;
  }

  /** Oldest first. */
  all(): string[] {
    const blocks = this.store.blocks().toReversed();
    return [...blocks.flatMap((block) => block.read(0).toString().split("\n")), ...this.lines];
  }
}

/** What a killed process leaves: nothing is closed. */
const killed = async (lines: Lines) => {
  await world.advance(200);
  open = open.filter((one) => one !== lines);
};
const files = (end: string) => readdirSync(folder).filter((name) => name.endsWith(end));
const path = (end: string) => join(folder, files(end).at(-1) ?? "none");
/** With other bytes from `end` (negative) on. */
const changed = (bytes: Buffer, end: number) => bytes.fill(0, bytes.length + end);
/** Lets the system's own threads come to an end. */
const until = async (done: () => boolean) => {
  for (let turn = 0; turn < 10_000 && !done(); turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(done()).toBe(true);
};

describe("after a stop", () => {
  test("in order, everything is there", () => {
    new Lines().add("a", "b").store.close();
    const again = new Lines();
    expect(again.all()).toEqual(["a", "b"]);
    expect(again.store.recovered).toEqual({ records: 2, clean: true, torn: 0 });
  });
  test("nothing was ever there: clean", () => expect(new Lines().store.recovered).toMatchObject({ clean: true }));
  test("by SIGKILL, everything older than 200 ms is there", async () => {
    await killed(new Lines().add("a", "b"));
    const again = new Lines();
    expect(again.all()).toEqual(["a", "b"]);
    expect(again.store.recovered).toEqual({ records: 2, clean: false, torn: 0 });
  });
  test("and a kill after it, it is not called clean", async () => {
    new Lines().add("a").store.close();
    await killed(new Lines().add("b"));
    expect(new Lines().store.recovered).toEqual({ records: 2, clean: false, torn: 0 });
  });
  test("a torn record is cut off, and what comes next is kept", async () => {
    await killed(new Lines().add("a", "torn"));
    truncateSync(path(".journal"), readFileSync(path(".journal")).length - 1);
    const again = new Lines().add("c");
    expect(again.store.recovered).toEqual({ records: 1, clean: false, torn: 11 });
    await killed(again);
    expect(new Lines().all()).toEqual(["a", "c"]);
  });
  test.each([
    ["zeros", Buffer.alloc(64)],
    ["noise", Buffer.from("noise that is no record")],
    ["a length beyond the end", Buffer.from([255, 255, 255, 255, 0, 0, 0, 0])],
  ])("%s at the journal's end are cut off", (_, tail) => {
    new Lines().add("a").store.close();
    appendFileSync(path(".journal"), tail);
    const again = new Lines();
    expect(again.all()).toEqual(["a"]);
    expect(again.store.recovered).toEqual({ records: 1, clean: false, torn: tail.length });
  });
  test("a record larger than the buffer is kept", async () => {
    const large = "x".repeat(700_000);
    await killed(new Lines().add("a", large, "b"));
    expect(new Lines().all()).toEqual(["a", large, "b"]);
  });
});

describe("a sealed head", () => {
  test("is a block, which stays over a restart", () => {
    const lines = new Lines().add("a", "b");
    lines.store.seal();
    lines.add("c").store.close();
    const again = new Lines();
    expect(again.all()).toEqual(["a", "b", "c"]);
    expect(again.store.blocks().map(({ rows, about }) => [rows, about])).toEqual([[2, { first: "a" }]]);
    expect(again.store.recovered.records).toBe(1);
  });
  test("loses its journal once it is on the disk", async () => {
    const lines = new Lines().add("a");
    lines.store.seal();
    await until(() => files(".journal").length === 0);
    lines.add("b");
    expect(files(".journal")).toHaveLength(1);
  });
  test("does not come twice when the journal was still there", async () => {
    const lines = new Lines().add("a");
    await world.advance(200);
    const [journal = ""] = files(".journal");
    const kept = readFileSync(join(folder, journal));
    lines.store.seal();
    await until(() => files(".journal").length === 0);
    await killed(lines);
    writeFileSync(join(folder, journal), kept);
    expect(new Lines().all()).toEqual(["a"]);
    expect(files(".journal")).toEqual([]);
  });
  test.each([
    ["cut short", (name: string) => truncateSync(name, readFileSync(name).length - 1)],
    ["changed", (name: string) => writeFileSync(name, changed(readFileSync(name), -2))],
    ["empty", (name: string) => truncateSync(name, 0)],
  ])("whose block is %s comes back from the journal", async (_, damage) => {
    const lines = new Lines().add("a", "b");
    await world.advance(200);
    const [journal = ""] = files(".journal");
    const kept = readFileSync(join(folder, journal));
    lines.store.seal();
    await until(() => files(".journal").length === 0);
    await killed(lines);
    writeFileSync(join(folder, journal), kept);
    damage(path(".blocks"));
    const again = new Lines();
    expect(again.all()).toEqual(["a", "b"]);
    again.store.seal();
    again.store.close();
    expect(new Lines().all()).toEqual(["a", "b"]);
  });
  test("with little in it becomes a block after a 24th of the age", async () => {
    const lines = new Lines().add("a");
    await world.advance(hour - 600_000);
    expect(lines.store.blocks()).toHaveLength(0);
    await world.advance(700_000);
    expect(lines.store.blocks()).toHaveLength(1);
  });
  test("an empty one makes no block", () => {
    const lines = new Lines();
    lines.store.seal();
    expect(lines.store.blocks()).toEqual([]);
  });
  test("damage to a block is an error of its reader alone", async () => {
    const lines = new Lines().add("a".repeat(1000));
    lines.store.seal();
    await until(() => files(".journal").length === 0);
    lines.store.close();
    writeFileSync(path(".blocks"), changed(readFileSync(path(".blocks")), -1));
    const [block] = new Lines().store.blocks();
    expect(block?.read(0).toString()).toBe("a".repeat(1000));
    expect(() => block?.read(1)).toThrow("section 1 is damaged");
  });
  test("plain sections are read in parts", () => {
    const lines = new Lines().add("abcdef".repeat(20));
    lines.store.seal();
    const [block] = lines.store.blocks();
    expect(block?.part(1, 2, 3).toString()).toBe("cde");
    expect(() => block?.part(0, 2, 3)).toThrow(RangeError);
    expect(block?.length(0)).toBe(120);
  });
});

describe("retention", () => {
  const fill = (lines: Lines, count: number) => {
    for (let index = 0; index < count; index++) {
      // Does not compress.
      lines.add(Buffer.from(world.random.bytes(1000)).toString("latin1"));
      lines.store.seal();
    }
  };
  test("by size: the oldest go, the folder stays below", () => {
    const lines = new Lines({ bytes: 100_000 });
    lines.add("first");
    fill(lines, 200);
    expect(lines.all()).not.toContain("first");
    expect(lines.store.bytes).toBeLessThanOrEqual(100_000);
    expect(lines.store.bytes).toBeGreaterThan(80_000);
    expect(lines.store.segments.length).toBeGreaterThan(6);
  });
  test("by age: nothing is older than the age and its 24th part", async () => {
    const lines = new Lines({ age: 24 * hour });
    for (let hours = 0; hours < 60; hours++) {
      lines.add(String(hours));
      await world.advance(hour);
    }
    const left = lines.all().map(Number);
    expect(left[0]).toBeGreaterThanOrEqual(60 - 27);
    expect(left).toEqual(Array.from({ length: 60 - (left[0] ?? 0) }, (_, index) => (left[0] ?? 0) + index));
  });
  test("what was found and is deleted is gone", async () => {
    const lines = new Lines();
    lines.add("a").store.seal();
    const [block] = lines.store.blocks();
    expect(block?.gone).toBe(false);
    await world.advance(30 * hour);
    expect(block?.gone).toBe(true);
    expect(lines.all()).toEqual([]);
    expect(files(".blocks")).toEqual([]);
  });
});

describe("a full disk", () => {
  test("refuses what comes, keeps what is there readable, recovers by itself", async () => {
    const lines = new Lines().add("a");
    lines.store.seal();
    lines.add("b");
    lines.free = 10;
    await world.advance(200);
    expect(lines.store.fault).toContain("only 10 bytes are free");
    expect(() => lines.add("c")).toThrow(UnavailableError);
    expect(() => lines.store.seal()).toThrow(UnavailableError);
    expect(lines.all()).toEqual(["a", "b"]);
    lines.free = 10_000;
    await world.advance(1000);
    lines.add("d");
    expect(lines.store.fault).toBeUndefined();
    await killed(lines);
    expect(new Lines().all()).toEqual(["a", "b", "d"]);
  });
  test.skipIf(process.platform !== "linux")("that the system reports is the same", async () => {
    symlinkSync("/dev/full", join(folder, `0000000000-${world.clock.now()}.journal`));
    const lines = new Lines().add("a");
    await world.advance(200);
    expect(lines.store.fault).toContain("ENOSPC");
    expect(() => lines.add("b")).toThrow(UnavailableError);
    expect(() => lines.store.close()).toThrow(UnavailableError);
    open = [];
  });
  test("when there was no room at the start, what is there is read", async () => {
    new Lines().add("a").store.close();
    const lines = new Lines({ reserve: Number.POSITIVE_INFINITY });
    lines.free = 0;
    lines.add("b");
    await world.advance(200);
    expect(() => lines.add("c")).toThrow(UnavailableError);
    expect(lines.all()).toEqual(["a", "b"]);
    lines.free = Number.POSITIVE_INFINITY;
    await world.advance(1000);
  });
});

describe("replacing segments", () => {
  // Each block is more than a 16th part of the limit: a segment each.
  const big = (limits = { bytes: 1600 }) => {
    const lines = new Lines(limits);
    for (const line of ["a", "b", "c"]) lines.add(line).store.seal();
    expect(lines.store.segments).toHaveLength(3);
    return lines;
  };
  async function* drafts(...texts: string[]): AsyncGenerator<Draft<{ first: string }>> {
    for (const text of texts)
      yield { from: 0, to: 1, rows: 1, about: { first: text }, sections: [{ bytes: Buffer.from(text) }] };
  }
  test("neighbours become one, over a restart too", async () => {
    const lines = big();
    expect(await lines.store.replace(lines.store.segments.slice(0, 2), drafts("ab"))).toBe(true);
    expect(lines.store.segments.map(({ blocks }) => blocks.map(({ about }) => about.first))).toEqual([["ab"], ["c"]]);
    lines.store.close();
    expect(new Lines({ bytes: 1600 }).store.segments.map(({ blocks }) => blocks.length)).toEqual([1, 1]);
  });
  test("one is replaced by its thinner self", async () => {
    const lines = big();
    expect(await lines.store.replace(lines.store.segments.slice(0, 1), drafts("A"))).toBe(true);
    lines.store.close();
    expect(new Lines({ bytes: 1600 }).store.segments.map(({ blocks }) => blocks[0]?.about.first)).toEqual([
      "A",
      "b",
      "c",
    ]);
  });
  test("a kill amid it leaves one of both", async () => {
    const lines = big();
    const [first = ""] = files(".blocks");
    const old = readFileSync(join(folder, first));
    expect(await lines.store.replace(lines.store.segments.slice(0, 2), drafts("ab"))).toBe(true);
    lines.store.close();
    writeFileSync(join(folder, first), old);
    writeFileSync(join(folder, "0000000001-0000000003.blocks.new"), old);
    expect(
      new Lines({ bytes: 1600 }).store
        .blocks()
        .map(({ about }) => about.first)
        .sort(),
    ).toEqual(["ab", "c"]);
    expect(readdirSync(folder).filter((name) => name.endsWith(".new"))).toEqual([]);
  });
  test("what retention deletes meanwhile is not replaced", async () => {
    const lines = big();
    async function* late() {
      await world.advance(30 * hour);
      yield* drafts("ab");
    }
    expect(await lines.store.replace(lines.store.segments.slice(0, 2), late())).toBe(false);
    expect(readdirSync(folder).filter((name) => !name.endsWith(".journal"))).toEqual([]);
  });
  test("the one that grows cannot be replaced", async () => {
    const lines = big();
    await expect(lines.store.replace(lines.store.segments, drafts())).rejects.toThrow(RangeError);
  });
});
