/**
 * The process that `spans.ts` measures: OTLP over HTTP into a store of spans. Says its port, then does what it is told, a line
 * each: `stats`; `fill N`: takes spans until there are N; `search`: what searches take. Answers are JSON, a line each.
 */
import { createInterface } from "node:readline";
import { systemClock } from "../../packages/ambient/src/index.ts";
import { startHttpReceiver } from "../../packages/telemetry/src/otlp/http-receiver.ts";
import { Intake } from "../../packages/telemetry/src/otlp/intake.ts";
import { Losses } from "../../packages/telemetry/src/sink.ts";
import { SpanStore } from "../../packages/telemetry/src/spans/span-store.ts";
import type { TraceSearch } from "../../packages/telemetry/src/telemetry.ts";
import { SpanRequest, spansOfRequest } from "./span-requests.ts";

const [folder = ""] = process.argv.slice(2);
const losses = new Losses();
const nothing = () => ({ taken: 0, rejected: 0 });
const store = SpanStore.open({ folder, clock: systemClock, losses, limits: { bytes: 2 ** 34, traceSpans: 1000 } });
const sink = { traces: (request: Uint8Array) => store.add(request), metrics: nothing, logs: nothing };
const intake = new Intake({ sink, losses, onError: (error) => console.error(error) });
const receiver = await startHttpReceiver({ host: "127.0.0.1", port: 0, intake, clock: systemClock });

/** Requests as they would have come one after the other, half a second between the first and the last of 32768 spans. */
async function fill(spans: number): Promise<void> {
  const requests = Array.from({ length: 64 }, (_, seed) => new SpanRequest(seed, Date.now() - 600_000));
  for (let round = 1; store.stats().records < spans; round++) {
    for (const [index, request] of requests.entries())
      store.add(request.renew(2 ** 31 + round, round === 1 ? index * 8 : 512));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function timed(run: () => Promise<unknown>): Promise<{ ms: number; processor: number }> {
  const [begun, before] = [performance.now(), process.cpuUsage()];
  await run();
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - begun, processor: (user + system) / 1000 };
}

async function search(): Promise<unknown> {
  const { oldest = 0 } = store.stats();
  const [old] = await store.traces({ limit: 1, to: oldest + 100 });
  const searches: Record<string, TraceSearch> = {
    "newest of all": {},
    "service and duration, found at once": { service: "orders", minDuration: 30 },
    "service and duration, found nowhere": { service: "orders", minDuration: 30, maxDuration: 30.000_001 },
    "errors of an operation": { status: "error", operation: "GET /api/things/3" },
    "an attribute of one span": { attributes: { "url.path": "/api/things/123456" } },
    "an attribute of none": { attributes: { "url.path": "/api/things/none" } },
  };
  const times: Record<string, { ms: number; processor: number }> = {
    "the oldest trace by id": await timed(() => store.trace(old?.traceId ?? "")),
  };
  for (const [name, search] of Object.entries(searches)) times[name] = await timed(() => store.traces(search));
  return times;
}

const lines = createInterface({ input: process.stdin });
console.log(JSON.stringify({ port: receiver.port, spansOfRequest }));
for await (const line of lines) {
  const [command, argument] = line.split(" ");
  if (command === "fill") await fill(Number(argument));
  const answer = command === "search" ? await search() : { ...store.stats(), losses: losses.list() };
  console.log(JSON.stringify(answer));
}
await receiver.close();
store.close();
