/** Python with OpenTelemetry's SDK from PyPI, in an environment that is made once and kept beside the installed packages. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const testdata = fileURLToPath(new URL("./testdata/", import.meta.url));
const cache = fileURLToPath(new URL("../../../../node_modules/.cache/flotilla-tests/", import.meta.url));
const requirements = join(testdata, "requirements.txt");

/** Runs one of the scripts of testdata; rejects with all that it said when it fails. */
export type Python = (script: string, args: readonly string[], input?: string) => Promise<string>;

/** Why there is no Python, where there is none: no network, or no python3-venv. On a build machine that is an error. */
export async function pythonSdk(): Promise<Python | string> {
  try {
    const folder = await environment();
    return (script, args, input) => run(join(folder, "bin", "python"), [join(testdata, script), ...args], input);
  } catch (error) {
    if (process.env.CI) throw error;
    return `skipped: Python's SDK cannot be installed: ${(error as Error).message}`;
  }
}

async function environment(): Promise<string> {
  const version = /opentelemetry-sdk==(\S+)/.exec(readFileSync(requirements, "utf8"))?.[1];
  const folder = join(cache, `python-opentelemetry-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  // Another run may be making it as well: whoever is first to name it wins.
  const making = `${folder}.${process.pid}`;
  try {
    await run("python3", ["-m", "venv", making]);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "20"];
    await run(join(making, "bin", "python"), [...pip, "-r", requirements]);
    if (!existsSync(folder)) renameSync(making, folder);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return folder;
}

function run(command: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "pipe" });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ${args.join(" ")} ended with ${code}: ${errors}${output}`));
    });
    // A script that ends before it has read all says why by its exit code.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}
