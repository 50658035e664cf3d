// Finds what the project runs on: its dependencies, installed when they are missing or older than the lock file, and the
// Node.js among them. Runs on any Node.js from 20, before anything is installed: built-in modules only.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** Installs the locked dependencies unless they are there; ends the process with npm's words when that fails. */
export function install() {
  const lock = join(root, "package-lock.json");
  if (modified(join(root, "node_modules", ".package-lock.json")) >= modified(lock)) return;
  console.error("Installing dependencies (once; about 530 MB on disk) ...");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (npm.status === 0) return;
  console.error(npm.error ? `npm could not be started: ${npm.error.message}` : "npm ci failed; see above.");
  process.exit(1);
}

/** The Node.js that is a dependency; its name differs by platform. */
export function nodeBinary() {
  const arch = process.arch;
  const require = createRequire(join(root, "packages", "flotilla", "package.json"));
  for (const name of [`node-${process.platform}-${arch}`, `node-bin-${process.platform}-${arch}`]) {
    try {
      const manifest = require.resolve(`${name}/package.json`);
      return join(dirname(manifest), JSON.parse(readFileSync(manifest, "utf8")).bin.node);
    } catch {
      // Not this name, or not this platform.
    }
  }
  if (Number(process.versions.node.split(".")[0]) >= 26) return process.execPath;
  console.error(
    `There is no Node.js 26 for ${process.platform}-${arch} among the dependencies; start this with one of yours.`,
  );
  process.exit(1);
}

/** Runs Node.js 26 with `args` in place of this process: signals go to it, its exit code is ours. */
export function exec(args, options = {}) {
  const child = spawn(nodeBinary(), args, { stdio: "inherit", ...options });
  // A terminal sends Ctrl-C to both; the child decides what it means.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => signal !== "SIGINT" && child.kill(signal));
  child.on("exit", (code, signal) => {
    if (!signal) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
  return child;
}
