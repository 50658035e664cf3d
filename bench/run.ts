/**
 * The figures that Flotilla promises, each beside what it is held against, measured in one run. `npm run bench` for all;
 * `npm run bench -- start edit` for some. Nothing asserts them: they are read, and kept in README.md.
 */
import { edit, secondStart } from "./develop.ts";
import { dataPlane, gateway } from "./gateway.ts";
import { idle } from "./idle.ts";
import { Resources } from "./resources.ts";
import { Shop } from "./shop.ts";
import { start } from "./start.ts";
import { type Figure, tableOf } from "./table.ts";
import { logs } from "./telemetry/logs.ts";
import { preload } from "./telemetry/preload.ts";
import { spans } from "./telemetry/spans.ts";

const benchmarks: Readonly<Record<string, (shop: Shop, resources: Resources) => Promise<Figure[]>>> = {
  start,
  idle,
  "second-start": secondStart,
  edit,
  gateway,
  "data-plane": dataPlane,
  preload,
  spans,
  logs,
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(benchmarks, name));
if (process.platform !== "linux") {
  console.error("The benchmarks read /proc: they run on Linux only.");
  process.exit(1);
}
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(", ")}; there are: ${Object.keys(benchmarks).join(", ")}`);
  process.exit(2);
}

const resources = new Resources();
let stopping = false;
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, async () => {
    if (stopping) return;
    stopping = true;
    await resources.release();
    process.exit(130);
  });

const figures: Figure[] = [];
try {
  const shop = new Shop(resources);
  for (const name of names.length > 0 ? names : Object.keys(benchmarks)) {
    console.error(`${name} ...`);
    try {
      figures.push(...((await benchmarks[name]?.(shop, resources)) ?? []));
    } catch (error) {
      console.error(`${name}:`, error);
      figures.push({ what: name, ours: "failed" });
      process.exitCode = 1;
    }
  }
} finally {
  await resources.release();
}
console.log(tableOf(figures));
process.exit();
