/**
 * What tracing costs a Node.js service when it starts, and for each request: the same service with the preload alone, with the
 * preload that traces, and with OpenTelemetry's own preload for Node.js from npm. Paired: each round starts all of them, in turn.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "../child.ts";
import { median } from "../measure.ts";
import type { Resources } from "../resources.ts";
import type { Shop } from "../shop.ts";
import { type Figure, less, ms } from "../table.ts";

const rounds = 9;
const root = resolve(import.meta.dirname, "../..");
const container = join(root, "packages/node/src/preload/container.cjs");

/** What one process says of itself. Milliseconds, MiB; microseconds of processor time for one request. */
interface Said {
  readonly ready: number;
  readonly processor: number;
  readonly rss: number;
  readonly request: number;
}

/** A service as the shop's: http, fetch and pg. Ready when it has answered a request for which it had to ask somebody itself. */
const service = `
  import http from "node:http";
  import "pg";
  const server = http.createServer(async (request, response) => {
    if (request.url === "/") await ask("/products");
    response.end('{"products":[]}');
  });
  const ask = (path) => fetch("http://127.0.0.1:" + server.address().port + path).then((response) => response.json());
  const spent = () => { const { user, system } = process.cpuUsage(); return user + system; };
  server.listen(0, "127.0.0.1", async () => {
    await ask("/");
    const ready = performance.now();
    // What is loaded after the first request is a part of it.
    setTimeout(async () => {
      const said = { ready, processor: spent() / 1000, rss: process.memoryUsage.rss() / 2 ** 20 };
      for (let left = Number(process.env.WARM); left > 0; left -= 1) await ask("/");
      const before = spent();
      for (let left = Number(process.env.REQUESTS); left > 0; left -= 1) await ask("/");
      const requests = Number(process.env.REQUESTS);
      console.log(JSON.stringify({ ...said, request: requests ? (spent() - before) / requests : undefined }));
      process.exit();
    }, 1000);
  });`;

export async function preload(_shop: Shop, resources: Resources): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "flotilla-preload-"));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const receiver = createServer((request, response) => request.resume().on("end", () => response.end()));
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  resources.defer(() => void receiver.close().closeAllConnections());
  const endpoint = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    OTEL_BSP_SCHEDULE_DELAY: "500",
    OTEL_METRICS_EXPORTER: "otlp",
    OTEL_LOGS_EXPORTER: "none",
  };
  await install(folder);
  writeFileSync(join(folder, "service.mjs"), service);
  const variants = {
    bare: { preload: container, env: {} },
    ours: { preload: container, env: endpoint },
    stock: { preload: "@opentelemetry/auto-instrumentations-node/register", env: endpoint },
  };
  const said: Record<keyof typeof variants, Said[]> = { bare: [], ours: [], stock: [] };
  for (let round = -1; round < rounds; round += 1) {
    // A few rounds go on with requests.
    const requests = round < 3 ? "1000" : "0";
    for (const [name, { preload, env }] of Object.entries(variants)) {
      const one = await start(folder, preload, {
        ...env,
        REQUESTS: requests,
        WARM: requests,
      });
      // The first round compiles, and reads from the disk.
      if (round >= 0) said[name as keyof typeof variants].push(one);
    }
  }
  return figuresOf(said);
}

/** The official packages, and pg for all. */
const install = (folder: string) =>
  run(
    ["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--silent"].concat(
      "@opentelemetry/api",
      "@opentelemetry/auto-instrumentations-node",
      "pg",
    ),
  );

async function start(folder: string, preload: string, env: Record<string, string>): Promise<Said> {
  const words = [
    "/bin/sh",
    "-c",
    'cd "$0" && exec "$@"',
    folder,
    process.execPath,
    "--require",
    preload,
    "service.mjs",
  ];
  const lines = (await run(words, { ...env, NODE_COMPILE_CACHE: join(folder, "compiled") })).split("\n");
  // Beside warnings of packages.
  return JSON.parse(lines.find((line) => line.startsWith("{")) ?? "") as Said;
}

function figuresOf({ bare, ours, stock }: Record<"bare" | "ours" | "stock", readonly Said[]>): Figure[] {
  const added = (of: readonly Said[], what: keyof Said) =>
    median(of.map((one, round) => one[what] - (bare[round]?.[what] ?? Number.NaN)).filter(Number.isFinite));
  const row = (what: string, key: keyof Said, shown: (value: number) => string, aim?: string): Figure => {
    const [our, their] = [added(ours, key), added(stock, key)];
    return {
      what: `Node.js service, added: ${what}`,
      ours: shown(our),
      peer: `${shown(their)} SDK`,
      ratio: less(our, their),
      aim,
    };
  };
  return [
    row("start to the first answer", "ready", ms, "60 ms"),
    row("processor time until then and a second", "processor", ms),
    row("resident memory", "rss", (value) => `${value.toFixed(1)} MiB`, "15 MiB"),
    row("processor time of a request and one that it makes", "request", (value) => `${Math.round(value)} us`),
  ];
}
