/**
 * An app that brings an SDK of its own has its way: when it registers it, ours steps back. The package @opentelemetry/api would
 * refuse it, for the place is taken.
 *
 * All copies of that package meet in one object behind a symbol of the global object, and use it in two ways that differ in their
 * order. To register: write the object back, read the old entry, compare the version, which must be the same, write the entry.
 * To use: read the object, its version, the object again, the entry. Source: @opentelemetry/api src/internal/global-utils.ts.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { getCallSites } from "node:util";
import { complain } from "./guard.ts";

const place = Symbol.for("opentelemetry.js.api.1");

/** Entries that belong together: an SDK for metrics alone leaves the traces to us. */
const groups = { traces: ["trace", "context", "propagation"], metrics: ["metrics"] } as const;

type Signal = keyof typeof groups;
type Entry = (typeof groups)[Signal][number];
type Shared = { version: string } & Partial<Record<Entry, unknown>>;
const world = globalThis as unknown as Record<symbol, Shared | undefined>;

/** Somebody's SDK is there already. */
export const isTaken = (): boolean => world[place] !== undefined;

/** `stepBack` is called once for a signal, when the app registers something of its own for it. */
export function giveWayToApp(stepBack: (signal: Signal) => void): void {
  const shared = world[place];
  if (!shared) return;
  let registering = false;
  for (const [signal, entries] of Object.entries(groups) as [Signal, readonly Entry[]][]) {
    const release = () => {
      for (const entry of entries) delete shared[entry];
      stepBack(signal);
    };
    for (const entry of entries) {
      const ours = shared[entry];
      if (ours === undefined) continue;
      const get = () => {
        if (!registering) return ours;
        release();
        return undefined;
      };
      const set = (value: unknown) => {
        release();
        shared[entry] = value;
      };
      Object.defineProperty(shared, entry, { get, set, configurable: true, enumerable: true });
    }
  }
  Object.defineProperty(world, place, {
    configurable: true,
    enumerable: true,
    get: () => {
      registering = false;
      return shared;
    },
    set: () => {
      registering = true;
      shared.version = versionOfCaller() ?? shared.version;
    },
  });
}

/** Of the copy of the package that registers something now. */
function versionOfCaller(): string | undefined {
  try {
    // This function, the setter, and who has set.
    const script = getCallSites(3)[2]?.scriptName ?? "";
    const file = script.startsWith("file:") ? fileURLToPath(script) : script;
    const folder = /^.*[\\/]@opentelemetry[\\/]api[\\/]/.exec(file)?.[0];
    if (folder) return (JSON.parse(readFileSync(`${folder}package.json`, "utf8")) as Shared).version;
    // In a bundle the package has no file of its own. Its version is written shortly before that symbol is made.
    const text = readFileSync(file, "utf8");
    const before = text.slice(0, text.lastIndexOf("opentelemetry.js.api."));
    return [...before.matchAll(/["'`](1\.\d+\.\d+)["'`]/g)].at(-1)?.[1];
  } catch (error) {
    complain(error);
    return undefined;
  }
}
