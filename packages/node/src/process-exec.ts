/** Another command in a container that runs, with or without a terminal. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { dropPrivileges, notFound } from "./namespaces.ts";
import { type ContainerSpec, type ExecOptions, type ExecSession, StartError } from "./runtime.ts";
import { signal } from "./signal.ts";
import { inOwnTerminal, openTerminal } from "./terminal.ts";

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
  const [file = "", ...args] = argumentsFor(entered, options.tty ?? false);
  const env = { ...entered.env, ...(options.tty ? { TERM: entered.env.TERM ?? "xterm" } : {}) };
  const cwd = entered.pid === undefined ? entered.cwd : "/";
  if (!options.tty) return piped(file, args, env, cwd, options);
  return openTerminal({ file, args, env, cwd, size: options.size, nested: entered.pid !== undefined });
}

function argumentsFor({ spec, pid, rootless, cwd, command }: Entered, tty: boolean): string[] {
  if (pid === undefined) return ["/bin/sh", "-c", `${inFolder(command[0] ?? "")}exec "$@"`, "sh", cwd, ...command];
  const namespaces = [
    "--target",
    String(pid),
    "--mount",
    "--uts",
    "--pid",
    ...(rootless ? ["--user", "--preserve-credentials"] : []),
  ];
  const dropped = dropPrivileges(spec, rootless);
  const script = inFolder(command[0] ?? "") + (tty ? inOwnTerminal(dropped, command) : `exec ${dropped} "$@"`);
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
    kill: () => void (child.pid !== undefined && signal(-child.pid, "SIGKILL")),
  };
}
