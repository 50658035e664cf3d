/**
 * Production dependencies of a source folder, installed from its lock file into a folder of ours, keyed by the lock file and
 * the platform: the user's folder is never touched, and what is there already is not installed again.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BuildError } from "./detect.ts";

export interface Dependencies {
  /** Tells these dependencies from all others. */
  readonly key: string;
  /** Holds what goes to `target`. */
  readonly folder: string;
  /** Where programs look for them: "/app/node_modules". */
  readonly target: string;
  readonly env: readonly string[];
}

export interface InstallOptions {
  /** The source folder. */
  readonly dir: string;
  /** Where installed dependencies are kept. */
  readonly cache: string;
  /** "linux-x64" */
  readonly platform: string;
  report(text: string): void;
}

/** Undefined: there are none. */
export async function dependenciesOf(kind: string, options: InstallOptions): Promise<Dependencies | undefined> {
  if (kind === "node") return nodeDependencies(options);
  if (kind === "python") return pythonDependencies(options);
  return undefined;
}

async function nodeDependencies(options: InstallOptions): Promise<Dependencies | undefined> {
  const { dir } = options;
  const manifest = join(dir, "package.json");
  if (!existsSync(manifest)) return undefined;
  const { dependencies = {} } = JSON.parse(readFileSync(manifest, "utf8")) as { dependencies?: Record<string, string> };
  if (Object.keys(dependencies).length === 0) return undefined;
  const lock = ["package-lock.json", "npm-shrinkwrap.json"].map((name) => join(dir, name)).find(existsSync);
  if (!lock)
    throw new BuildError(
      `${dir}: package.json has dependencies and there is no package-lock.json; run: npm install --package-lock-only`,
    );
  return install(options, [manifest, lock], {
    subfolder: "node_modules",
    target: "/app/node_modules",
    env: [],
    command: ["npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"],
    remedy: "run npm ci in that folder to see more",
  });
}

async function pythonDependencies(options: InstallOptions): Promise<Dependencies | undefined> {
  const file = join(options.dir, "requirements.txt");
  if (!existsSync(file) || readFileSync(file, "utf8").replace(/#.*/g, "").trim() === "") return undefined;
  return install(options, [file], {
    subfolder: "site-packages",
    target: "/app/site-packages",
    env: ["PYTHONPATH=/app/site-packages"],
    command: [
      "python3",
      "-m",
      "pip",
      "install",
      "--quiet",
      "--target",
      "site-packages",
      "--requirement",
      "requirements.txt",
    ],
    remedy: "run pip install -r requirements.txt to see more",
  });
}

interface Install {
  readonly subfolder: string;
  readonly target: string;
  readonly env: readonly string[];
  readonly command: readonly string[];
  readonly remedy: string;
}

async function install(options: InstallOptions, files: readonly string[], how: Install): Promise<Dependencies> {
  const { dir, cache, platform, report } = options;
  const hash = createHash("sha256").update(platform).update(how.command.join(" "));
  for (const file of files) hash.update(readFileSync(file));
  const key = hash.digest("hex").slice(0, 24);
  const kept = join(cache, key);
  const found = { key, folder: join(kept, how.subfolder), target: how.target, env: how.env };
  if (existsSync(kept)) return found;
  report(`installing its dependencies (${how.command.slice(0, 2).join(" ")})`);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, ".installing-"));
  try {
    for (const file of files) copyFileSync(file, join(work, file.slice(file.lastIndexOf("/") + 1)));
    await run(how.command, work, dir, how.remedy);
    mkdirSync(join(work, how.subfolder), { recursive: true });
    try {
      renameSync(work, kept);
    } catch (error) {
      // Another build of the same dependencies was first.
      if (!existsSync(kept)) throw error;
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return found;
}

const shownLines = 8;

/** npm says first what is wrong, and then how it is used; others end with it. */
export function tellingLines(said: string): string[] {
  const lines = said
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
  const errors = lines
    .filter((line) => line.startsWith("npm error"))
    .map((line) => line.slice("npm error".length).trim());
  if (errors.length === 0) return lines.slice(-shownLines);
  const usage = errors.findIndex((line) => line === "Clean install a project" || line.startsWith("A complete log"));
  return errors
    .slice(0, usage < 0 ? undefined : usage)
    .filter((line) => line !== "")
    .slice(0, shownLines);
}

function run([program = "", ...args]: readonly string[], cwd: string, dir: string, remedy: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    const hear = (chunk: Buffer) => {
      said = (said + chunk).slice(-20_000);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new BuildError(
          error.code === "ENOENT"
            ? `${dir}: its dependencies need ${program}, which is not on this machine`
            : error.message,
        ),
      ),
    );
    child.once("close", (code) => {
      if (code === 0) return resolve();
      const lines = tellingLines(said).map((line) => `  ${line}`);
      reject(new BuildError(`${dir}: ${program} could not install its dependencies; ${remedy}\n${lines.join("\n")}`));
    });
  });
}
