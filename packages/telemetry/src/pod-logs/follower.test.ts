import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Simulation, simulation } from "@flotilla/ambient";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { attribute, textOf } from "../attributes.ts";
import { decodeLogs } from "../otlp/codec.ts";
import type { LogRecord, Resource } from "../otlp/types.ts";
import { Losses, MalformedError, UnavailableError } from "../sink.ts";
import type { LogSearch } from "../telemetry.ts";
import { Follower, type PodLogLimits } from "./follower.ts";

let root: string;
let world: Simulation;
let running: { stop(): Promise<void> }[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "pod-logs-"));
  world = simulation(1);
  running = [];
});
afterEach(async () => {
  for (const each of running) await each.stop();
  rmSync(root, { recursive: true, force: true });
});

const orders = "shop_orders-5d8f9c7b6d-x2x4z_u1/orders";
const cart = "shop_cart-0_u2/cart";
const line = (text: string, stream = "stdout") =>
  `${new Date(world.clock.now()).toISOString().replace("Z", "000000Z")} ${stream} F ${text}\n`;
const pathOf = (container: string, file = "0.log") => join(root, "logs", container, file);

function write(container: string, text: string, file?: string) {
  mkdirSync(dirname(pathOf(container, file)), { recursive: true });
  appendFileSync(pathOf(container, file), text);
}

interface Got {
  resource: Resource | undefined;
  record: LogRecord;
}

/** A follower with a sink that remembers. */
function follow({
  limits,
  pods = ["u1", "u2"],
  kept,
}: {
  limits?: Partial<PodLogLimits>;
  pods?: string[];
  kept?: () => readonly Got[];
} = {}) {
  const got: Got[] = [];
  const losses = new Losses();
  const complaints: string[] = [];
  const state = { full: false, refuse: false };
  const follower = new Follower({
    folder: join(root, "logs"),
    checkpoint: join(root, "telemetry", "pod-logs.json"),
    nodeName: "n1",
    clock: world.clock,
    losses,
    limits,
    ...(kept && {
      kept: async ({ attributes = {}, from = 0, to = 0 }: LogSearch) =>
        kept()
          .filter(({ resource, record }) => {
            const time = Number(record.timeUnixNano) / 1e6;
            const has = ([key, value]: [string, string]) => attribute(resource?.attributes, key) === value;
            return time >= from && time <= to && Object.entries(attributes).every(has);
          })
          .map(({ resource = {}, record }, index) => ({ id: String(index), resource, scope: {}, record })),
    }),
    log: ({ message }) => complaints.push(message),
    sink: {
      logs(request) {
        if (state.full) throw new UnavailableError("full", 300);
        if (state.refuse) throw new MalformedError("no");
        for (const { resource, scopeLogs = [] } of decodeLogs(request).resourceLogs ?? [])
          for (const record of scopeLogs.flatMap(({ logRecords = [] }) => logRecords)) got.push({ resource, record });
        return { taken: 0, rejected: 0 };
      },
    },
  });
  follower.setPods(new Map(pods.map((uid) => [uid, { service: `service-${uid}`, app: "shop", version: "v1" }])));
  const end = new AbortController();
  const ended = follower.run(end.signal);
  const each = {
    got,
    losses,
    complaints,
    state,
    follower,
    texts: (container?: string) =>
      got
        .filter(({ resource }) => !container || attribute(resource?.attributes, "k8s.container.name") === container)
        .map(({ record }) => textOf(record.body)),
    stop: () => {
      end.abort();
      return ended;
    },
    /** As SIGKILL leaves it: what was not written down is lost. */
    kill: async () => {
      const path = join(root, "telemetry", "pod-logs.json");
      const before = existsSync(path) ? readFileSync(path) : undefined;
      end.abort();
      await ended;
      if (before) writeFileSync(path, before);
    },
  };
  running.push(each);
  return each;
}

test("lines are found within a second, tagged with what the API says of their pod", async () => {
  const logs = follow();
  await world.advance(700);
  write(orders, line("paid", "stderr"));
  await world.advance(1000);
  expect(logs.texts()).toEqual(["paid"]);
  const [{ resource, record } = {} as Got] = logs.got;
  expect(Object.fromEntries((resource?.attributes ?? []).map(({ key, value }) => [key, textOf(value)]))).toEqual({
    "service.name": "service-u1",
    "service.namespace": "shop",
    "service.version": "v1",
    "service.instance.id": "orders-5d8f9c7b6d-x2x4z",
    "k8s.namespace.name": "shop",
    "k8s.pod.name": "orders-5d8f9c7b6d-x2x4z",
    "k8s.pod.uid": "u1",
    "k8s.container.name": "orders",
    "k8s.node.name": "n1",
  });
  expect(attribute(record.attributes, "log.iostream")).toBe("stderr");
});

test("lines that no record could hold are kept as text, and those around them as well", async () => {
  const logs = follow();
  const nested = `{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}`;
  const lines = ["before", nested, '{"level":"constructor","msg":"odd"}', "level=constructor after"];
  write(orders, lines.map((text) => line(text)).join(""));
  await world.advance(1500);
  expect(logs.complaints).toEqual([]);
  expect(logs.texts()).toEqual(["before", nested, "odd", "level=constructor after"]);
});

test("what the store refuses is counted, and reading goes on", async () => {
  const logs = follow();
  logs.state.refuse = true;
  write(orders, line("a") + line("b"));
  await world.advance(1000);
  logs.state.refuse = false;
  write(orders, line("c"));
  await world.advance(1000);
  expect(logs.texts()).toEqual(["c"]);
  expect(logs.losses.list()).toEqual([{ signal: "logs", reason: "refused by the store", count: 2 }]);
});

test("static pods are services of their own", async () => {
  const logs = follow();
  write("kube-system_data-plane_static/data-plane", line("up"));
  await world.advance(1000);
  expect(attribute(logs.got[0]?.resource?.attributes, "service.name")).toBe("data-plane");
  expect(attribute(logs.got[0]?.resource?.attributes, "k8s.pod.name")).toBe("data-plane-n1");
});

test("a pod that the API does not know is waited for, then named by its name", async () => {
  const logs = follow({ pods: [] });
  write(orders, line("paid"));
  await world.advance(1500);
  expect(logs.got).toEqual([]);
  await world.advance(1500);
  expect(attribute(logs.got[0]?.resource?.attributes, "service.name")).toBe("orders");
});

describe("what goes on between two lives", () => {
  test("nothing is missing and nothing twice after a stop", async () => {
    const first = follow();
    write(orders, line("a"));
    await world.advance(1000);
    await first.stop();
    write(orders, line("b"));
    write(cart, line("c"));
    const second = follow();
    await world.advance(1000);
    expect([first.texts(), second.texts().sort()]).toEqual([["a"], ["b", "c"]]);
  });

  test("nothing is missing after a kill; what was handed on long before is not there twice", async () => {
    const first = follow();
    write(orders, line("a"));
    await world.advance(2000);
    await first.kill();
    write(orders, line("b"));
    const second = follow();
    await world.advance(1000);
    expect([first.texts(), second.texts()]).toEqual([["a"], ["b"]]);
  });

  test("nothing is there twice after a kill, when what was kept can be found", async () => {
    const first = follow();
    write(orders, line("a") + line("same") + line("same"));
    await world.advance(700);
    await first.kill();
    write(orders, line("same") + line("b"));
    const second = follow({ kept: () => first.got });
    await world.advance(1000);
    expect([first.texts(), second.texts()]).toEqual([
      ["a", "same", "same"],
      ["same", "b"],
    ]);
  });

  test("files that were rotated meanwhile, and runs that ended, are read in order", async () => {
    const first = follow();
    write(orders, line("a"));
    await world.advance(1000);
    await first.stop();
    write(orders, line("b"));
    renameSync(pathOf(orders), pathOf(orders, "0.log.20261121120000000"));
    write(orders, line("c"));
    write(orders, line("d"), "1.log");
    const second = follow();
    await world.advance(2000);
    expect(second.texts()).toEqual(["b", "c", "d"]);
  });

  test("another file with the same inode is read from its beginning", async () => {
    const first = follow();
    write(orders, line("a"));
    await world.advance(1000);
    await first.stop();
    // The same inode with other content, as file systems give it to the next file.
    await world.advance(5);
    writeFileSync(pathOf(orders), line("another one, and longer"));
    const second = follow();
    await world.advance(1000);
    expect(second.texts()).toEqual(["another one, and longer"]);
  });

  test("a stop in order is known as such, also when nothing has been written for long", async () => {
    write(orders, line("a"));
    const logs = follow();
    await world.advance(10_000);
    await logs.stop();
    const checkpoint = JSON.parse(readFileSync(join(root, "telemetry", "pod-logs.json"), "utf8"));
    expect(checkpoint).toMatchObject({ clean: true, containers: { [orders]: { labels: { app: "shop" } } } });
  });
  test("a damaged checkpoint is said, and read past", async () => {
    mkdirSync(join(root, "telemetry"));
    writeFileSync(join(root, "telemetry", "pod-logs.json"), "{");
    write(orders, line("a"));
    const logs = follow();
    await world.advance(1000);
    expect(logs.texts()).toEqual(["a"]);
    expect(logs.complaints).toHaveLength(1);
  });
});

describe("files that change while they are followed", () => {
  test("rotation", async () => {
    const logs = follow();
    for (const text of ["a", "b", "c"]) {
      write(orders, line(text));
      await world.advance(500);
      renameSync(pathOf(orders), pathOf(orders, `0.log.2026112112000000${text.charCodeAt(0)}`));
    }
    write(orders, line("d"));
    await world.advance(1000);
    expect(logs.texts()).toEqual(["a", "b", "c", "d"]);
  });

  test("a line in two halves", async () => {
    const logs = follow();
    const whole = line("both halves");
    write(orders, whole.slice(0, 40));
    await world.advance(1000);
    write(orders, whole.slice(40));
    await world.advance(1000);
    expect(logs.texts()).toEqual(["both halves"]);
  });

  test("a half line at the end of a run is not lost, and stops nothing", async () => {
    const logs = follow();
    write(orders, line("torn").trimEnd());
    write(orders, line("next"), "1.log");
    await world.advance(1500);
    expect(logs.texts()).toEqual(["torn", "next"]);
  });

  test("what a deleted pod wrote last is read, and the pod forgotten", async () => {
    const logs = follow();
    write(orders, line("a"));
    await world.advance(1000);
    write(orders, line("b"));
    rmSync(join(root, "logs", dirname(orders)), { recursive: true });
    await world.advance(2000);
    expect(logs.texts()).toEqual(["a", "b"]);
    expect(readFileSync(join(root, "telemetry", "pod-logs.json"), "utf8")).not.toContain("orders");
  });

  test("a trace whose lines come one by one is one record", async () => {
    const logs = follow();
    write(orders, line("Error: x"));
    await world.advance(150);
    write(orders, line("    at f"));
    await world.advance(1000);
    expect(logs.texts()).toEqual(["Error: x\n    at f"]);
  });
});

describe("more than can be taken", () => {
  const limits = { bytesPerSecond: 10_000, mostWaiting: 100_000 };
  const flood = (count: number) => Array.from({ length: count }, (_, index) => line(`line ${index}`)).join("");

  test("is read later, without loss, as long as not too much waits", async () => {
    const logs = follow({ limits });
    await world.advance(600);
    write(orders, flood(1000));
    await world.advance(20_000);
    expect(logs.texts()).toHaveLength(1000);
    expect(logs.losses.list()).toEqual([]);
  });

  test("is counted beyond that, and said in the pod's own log; others are found at once", async () => {
    const logs = follow({ limits });
    await world.advance(600);
    write(orders, flood(20_000));
    write(cart, line("quiet"));
    await world.advance(1000);
    expect(logs.texts("cart")).toEqual(["quiet"]);
    await world.advance(30_000);
    const [loss] = logs.losses.list();
    const texts = logs.texts("orders");
    const taken = texts.filter((text) => text.startsWith("line"));
    expect(taken.length + (loss?.count ?? 0)).toBe(20_000);
    expect(texts.at(-1)).toBe("line 19999");
    expect(texts.some((text) => text.startsWith(`log.dropped: ${loss?.count} lines`))).toBe(true);
  });

  test("what was there before is read in full", async () => {
    write(orders, flood(10_000));
    const logs = follow({ limits });
    await world.advance(120_000);
    expect(logs.texts()).toHaveLength(10_000);
    expect(logs.losses.list()).toEqual([]);
  });

  test("waits in the files while the sink takes nothing", async () => {
    const logs = follow();
    logs.state.full = true;
    write(orders, line("a"));
    await world.advance(2000);
    write(orders, line("b"));
    await world.advance(2000);
    expect(logs.got).toEqual([]);
    logs.state.full = false;
    await world.advance(2000);
    expect(logs.texts()).toEqual(["a", "b"]);
  });

  test("a line of 10 MB is cut, says how long it was, and is counted", async () => {
    const logs = follow();
    const part = `${line("x".repeat(16_384)).replace(" F ", " P ")}`;
    write(orders, part.repeat(640) + line("end"));
    await world.advance(20_000);
    expect(logs.texts().map(({ length }) => length)).toEqual([65_536]);
    expect(attribute(logs.got[0]?.record.attributes, "log.line.length")).toBe(String(640 * 16_384 + 3));
    expect(logs.losses.list()).toEqual([{ signal: "logs", reason: "line cut", count: 1 }]);
  });
});
