/**
 * The process that `logs.ts` measures: how fast lines are taken in, what they need on disk, how long searches take. Prints the figures
 * as JSON; `node bench/telemetry/log-search.ts [lines]`.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../packages/ambient/src/index.ts";
import { LogStore } from "../../packages/telemetry/src/logs/log-store.ts";
import { Losses } from "../../packages/telemetry/src/sink.ts";
import type { LogSearch } from "../../packages/telemetry/src/telemetry.ts";
import type { Figure } from "../table.ts";
import { requestsIn, start } from "./log-lines.ts";

const count = Number(process.argv[2] ?? 1_000_000);
const folder = mkdtempSync(join(tmpdir(), "flotilla-bench-logs-"));
const mega = 2 ** 20;
const rss = () => process.memoryUsage.rss() / mega;

function open() {
  return LogStore.open({
    folder: join(folder, "store"),
    clock: systemClock,
    losses: new Losses(),
    limits: { age: 7 * 24 * 3_600_000, bytes: 4096 * mega },
  });
}

/** Median of five, with its processor time; the longest time for which nothing else could run meanwhile. */
async function time(store: LogStore, search: LogSearch) {
  const times: [ms: number, cpu: number][] = [];
  let found = 0;
  let longest = 0;
  for (let round = 0; round < 5; round++) {
    let last = performance.now();
    let watching = true;
    const watch = () => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
      if (watching) setImmediate(watch);
    };
    setImmediate(watch);
    const begun = performance.now();
    const cpu = process.cpuUsage();
    found = (await store.logs(search)).length;
    const { user, system } = process.cpuUsage(cpu);
    times.push([performance.now() - begun, (user + system) / 1000]);
    watching = false;
  }
  times.sort(([a], [b]) => a - b);
  const [ms, cpu] = times[2] as [number, number];
  return { ms, cpu, found, longest };
}

const figures: Figure[] = [];
const say = (what: string, ours: string, aim?: string) => figures.push({ what, ours, ...(aim && { aim }) });
try {
  const lines = join(folder, "lines");
  execFileSync(process.execPath, [join(import.meta.dirname, "log-lines.ts"), lines, String(count)]);
  say("memory before, RSS", `${rss().toFixed(0)} MiB`);
  let store = open();
  let taken = 0;
  let most = 0;
  for (const request of requestsIn(lines)) {
    const begun = process.cpuUsage();
    store.add(request);
    const { user, system } = process.cpuUsage(begun);
    taken += user + system;
    most = Math.max(most, rss());
    // Blocks are forced to the disk in the background.
    await new Promise((resolve) => setImmediate(resolve));
  }
  say("log lines taken in, per second of a core", (count / (taken / 1e6)).toFixed(0));
  say("... a line as it was sent", `${(statSync(lines).size / count).toFixed(0)} B`);
  say("... a line on disk", `${(store.stats().bytesOnDisk / count).toFixed(1)} B`);
  say("... memory at most, RSS", `${most.toFixed(0)} MiB`, "250 MiB");
  store.close();
  const begun = performance.now();
  store = open();
  say(`${count} lines opened again`, `${(performance.now() - begun).toFixed(0)} ms`);
  const [rare] = await store.logs({ grep: "card_declined", limit: 1 });
  const searches: [what: string, search: LogSearch][] = [
    ["rare words", { grep: "card_declined" }],
    ["no such word", { grep: "no such word" }],
    ["a frequent word, the newest thousand", { grep: "request" }],
    ["an expression with a literal", { grep: "order \\d+9999 created" }],
    ["an expression without any", { grep: "\\d{3}77\\d? .*[xyz]=9", limit: 10 }],
    ["rare words, ignoring case", { grep: "CARD_declined", ignoreCase: true }],
    ["a trace", { traceId: rare?.record.traceId ?? "" }],
    [
      "warnings of a service, a minute",
      { services: ["orders"], minSeverity: 13, from: start + 40_000, to: start + 50_000 },
    ],
    ["an attribute", { attributes: { reqId: `req-${Math.floor(count / 2)}` } }],
    ["the newest hundred", { limit: 100 }],
  ];
  for (const [what, search] of searches) {
    const { ms, cpu, found, longest } = await time(store, search);
    say(
      `search: ${what} (${found} found)`,
      `${ms.toFixed(0)} ms (processor ${cpu.toFixed(0)} ms), at most ${longest.toFixed(0)} ms at a time`,
      "1000 ms",
    );
  }
  say("memory after the searches, RSS", `${rss().toFixed(0)} MiB`, "250 MiB");
  store.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(JSON.stringify(figures, undefined, 2));
