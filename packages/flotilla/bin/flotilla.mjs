#!/usr/bin/env node
// Starts the command line on the Node.js that Flotilla depends on, whichever Node.js (from 20) npm runs on.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import * as modules from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = modules.createRequire(import.meta.url);
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "flotilla", "compile");

function nodeBinary() {
  for (const name of [`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`]) {
    try {
      const manifest = require.resolve(`${name}/package.json`);
      return join(dirname(manifest), JSON.parse(readFileSync(manifest, "utf8")).bin.node);
    } catch {
      // Not this name, or not this platform.
    }
  }
  return undefined;
}

if (Number(process.versions.node.split(".")[0]) >= 26) {
  modules.enableCompileCache(cache);
  // Named in package.json: sources here, JavaScript where it is published.
  require("#preload");
  await import("#main");
} else {
  const node = nodeBinary();
  if (!node) {
    console.error(
      `flotilla needs Node.js 26, and there is none for ${process.platform}-${process.arch} among its dependencies.`,
    );
    process.exit(1);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends Ctrl-C to both; the child decides what it means.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    if (!signal) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
