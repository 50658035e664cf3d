/** A shop of one's own for a test: a copy of the example with its own state, run by the real command line, cleaned up whatever happens. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = new URL("../..", import.meta.url).pathname;
const flotilla = join(root, "packages", "flotilla", "bin", "flotilla.mjs");

export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function command(
  file: string,
  args: string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv; input?: string; timeout?: number },
): Promise<Answer> {
  try {
    const promise = run(file, args, {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: "1", ...options.env },
      maxBuffer: 64 * 2 ** 20,
      timeout: options.timeout ?? 120_000,
    });
    if (options.input !== undefined) promise.child.stdin?.end(options.input);
    const { stdout, stderr } = await promise;
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as { code?: number | string; stdout?: string; stderr?: string };
    return { code: typeof code === "number" ? code : 1, out: stdout, err: stderr || String(error) };
  }
}

export class Shop {
  readonly dir: string;
  readonly port: number;
  /** What `flotilla` is called by in its folder. */
  readonly program: readonly [string, ...string[]];

  constructor(dir: string, port: number, program: readonly [string, ...string[]] = [process.execPath, flotilla]) {
    this.dir = dir;
    this.port = port;
    this.program = program;
  }

  /** A fresh copy, in a folder that only its owner may enter. */
  static async copy(program?: readonly [string, ...string[]]): Promise<Shop> {
    const dir = mkdtempSync(join(tmpdir(), "flotilla-shop-"));
    cpSync(join(root, "examples", "shop"), dir, {
      recursive: true,
      filter: (file) => !/\/(\.flotilla|node_modules)$/.test(file),
    });
    return new Shop(dir, await freePort(), program);
  }

  /** An app of these files, by their paths. */
  static async of(files: Readonly<Record<string, string>>): Promise<Shop> {
    const shop = new Shop(mkdtempSync(join(tmpdir(), "flotilla-app-")), await freePort());
    for (const [path, text] of Object.entries(files)) shop.write(path, text);
    return shop;
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.dir, path)), { recursive: true });
    writeFileSync(join(this.dir, path), text);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  flotilla(...args: string[]): Promise<Answer> {
    const [file, ...first] = this.program;
    return command(file, [...first, ...args], { cwd: this.dir });
  }

  /** Throws with everything the command said when it is not ready in the end. */
  async up(...args: string[]): Promise<void> {
    const { code, out, err } = await this.flotilla("up", "--detach", "--port", String(this.port), ...args);
    if (code !== 0) throw new Error(`flotilla up: exit code ${code}\n${out}${err}\n${this.log()}`);
  }

  log(): string {
    const file = join(this.dir, ".flotilla", "agent.log");
    return existsSync(file) ? readFileSync(file, "utf8").slice(-4000) : "";
  }

  kubectl(...args: string[]): Promise<Answer> {
    return this.kubectlWith("", ...args);
  }

  kubectlWith(input: string, ...args: string[]): Promise<Answer> {
    return command("kubectl", args, {
      cwd: this.dir,
      env: { KUBECONFIG: join(this.dir, ".flotilla", "kubeconfig") },
      input,
    });
  }

  start(...args: string[]): ChildProcess {
    const [file, ...first] = this.program;
    return spawn(file, [...first, ...args], {
      cwd: this.dir,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
  }

  /** Every process of this machine that has to do with this copy: by its command line, or by a file or folder it holds. */
  processes(): { pid: number; command: string }[] {
    const found = [];
    for (const name of readdirSync("/proc")) {
      const pid = Number(name);
      if (!pid || pid === process.pid) continue;
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8");
        const cwd = readlinkSync(`/proc/${pid}/cwd`);
        const state = join(this.dir, ".flotilla");
        if (line.includes(this.dir) || cwd.startsWith(this.dir) || mounts.includes(state))
          found.push({ pid, command: line });
      } catch {
        // It ended meanwhile, or is not ours to look at.
      }
    }
    return found;
  }

  async close(): Promise<void> {
    await this.flotilla("down");
    for (const { pid } of this.processes()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended meanwhile.
      }
    }
    await sleep(200);
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}
