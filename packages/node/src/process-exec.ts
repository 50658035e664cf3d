/** Another command in a container that runs, with or without a terminal. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { PassThrough, Writable } from "node:stream";
import { dropPrivileges, notFound } from "./namespaces.ts";
import { type ContainerSpec, type ExecOptions, type ExecSession, StartError } from "./runtime.ts";

export interface Entered {
  readonly spec: ContainerSpec;
  readonly env: Readonly<Record<string, string>>;
  /** A process in the container's namespaces; undefined when it has none of its own. */
  readonly pid: number | undefined;
  readonly rootless: boolean;
  /** Where it works, when it has no namespaces. */
  readonly cwd: string;
  readonly command: readonly string[];
}

/** Goes to the folder in its first argument and sees that there is the command. Exit codes: POSIX shell, 2.8.2. */
const inFolder = (command: string) =>
  `cd -- "$1" || exit 126; shift; command -v "$1" > /dev/null || { printf '%s\\n' '${notFound(command).replaceAll("'", "'\\''")}' >&2; exit 127; }; `;

export async function enter(entered: Entered, options: ExecOptions): Promise<ExecSession> {
  const [file = "", ...args] = argumentsFor(entered);
  const env = { ...entered.env, ...(options.tty ? { TERM: entered.env.TERM ?? "xterm" } : {}) };
  const cwd = entered.pid === undefined ? entered.cwd : "/";
  return options.tty ? terminal(file, args, env, cwd, options) : piped(file, args, env, cwd, options);
}

function argumentsFor({ spec, pid, rootless, cwd, command }: Entered): string[] {
  if (pid === undefined) return ["/bin/sh", "-c", `${inFolder(command[0] ?? "")}exec "$@"`, "sh", cwd, ...command];
  const namespaces = [
    "--target",
    String(pid),
    "--mount",
    "--uts",
    "--pid",
    ...(rootless ? ["--user", "--preserve-credentials"] : []),
  ];
  const script = `${inFolder(command[0] ?? "")}exec ${dropPrivileges(spec, rootless)} "$@"`;
  return [
    "setpriv",
    "--pdeathsig",
    "KILL",
    "nsenter",
    ...namespaces,
    "/bin/sh",
    "-c",
    script,
    "sh",
    spec.workingDir,
    ...command,
  ];
}

async function piped(
  file: string,
  args: readonly string[],
  env: Record<string, string>,
  cwd: string,
  options: ExecOptions,
): Promise<ExecSession> {
  const child = spawn(file, args, {
    env,
    cwd,
    detached: true,
    stdio: [options.stdin ? "pipe" : "ignore", "pipe", "pipe"],
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => reject(new StartError(error.message)));
  });
  // A command that ends without reading its input is no error of ours.
  child.stdin?.on("error", () => {});
  const exited = new Promise<number>((resolve) =>
    child.once("close", (code, name) => resolve(code ?? 128 + (name ? constants.signals[name] : 0))),
  );
  return {
    stdin: child.stdin ?? undefined,
    stdout: child.stdout as NonNullable<typeof child.stdout>,
    stderr: child.stderr as NonNullable<typeof child.stderr>,
    resize() {},
    exited,
    kill: () => void (child.pid !== undefined && killGroup(child.pid)),
  };
}

async function terminal(
  file: string,
  args: readonly string[],
  env: Record<string, string>,
  cwd: string,
  { size }: ExecOptions,
): Promise<ExecSession> {
  // Native code: loaded by the first who wants a terminal.
  const pty: typeof import("@lydell/node-pty") = createRequire(import.meta.url)("@lydell/node-pty");
  const child = pty.spawn(file, [...args], {
    name: env.TERM,
    cols: size?.columns ?? 80,
    rows: size?.rows ?? 24,
    env,
    cwd,
    encoding: null,
  });
  const stdout = new PassThrough();
  child.onData((data: string | Buffer) => void stdout.write(data));
  const exited = new Promise<number>((resolve) =>
    child.onExit(({ exitCode, signal }) => {
      stdout.end();
      resolve(signal ? 128 + signal : exitCode);
    }),
  );
  const endOfTransmission = "\u0004";
  return {
    stdin: new Writable({
      write(chunk: Buffer, _encoding, done) {
        child.write(chunk as unknown as string);
        done();
      },
      final(done) {
        child.write(endOfTransmission);
        done();
      },
    }),
    stdout,
    stderr: undefined,
    resize: (columns, rows) => child.resize(Math.max(1, columns), Math.max(1, rows)),
    exited,
    kill: () => child.kill("SIGKILL"),
  };
}

function killGroup(pid: number) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
