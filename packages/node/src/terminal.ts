/**
 * A command with a terminal. Its device must be in the container's own /dev/pts, where no library can make one from outside:
 * `script` makes it inside, and a second terminal, raw and on this machine, carries its bytes, its size and its hang-up.
 */
import { createRequire } from "node:module";
import { PassThrough, Writable } from "node:stream";
import { quote } from "./namespaces.ts";
import { childrenOf } from "./process-table.ts";
import type { ExecOptions, ExecSession } from "./runtime.ts";
import { signal } from "./signal.ts";

export interface TerminalCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  readonly cwd: string;
  readonly size: ExecOptions["size"];
  /** `args` run `inOwnTerminal`. */
  readonly nested: boolean;
}

/** Said inside before the command runs: from then on the outer terminal is raw, and nothing is echoed twice or taken for a signal. */
const ready = 0x01;
const endOfTransmission = "\u0004";

/** The end of a shell script that runs a command in a terminal of the container; without `script`, in the one it was given. */
export function inOwnTerminal(dropPrivileges: string, command: readonly string[]): string {
  const run = `printf '\\001'; exec ${command.map(quote).join(" ")}`;
  return `command -v script > /dev/null || exec ${dropPrivileges} /bin/sh -c ${quote(run)}
exec ${dropPrivileges} script -qec ${quote(run)} /dev/null`;
}

export function openTerminal({ file, args, env, cwd, size, nested }: TerminalCommand): ExecSession {
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
  let held: (() => void)[] | undefined = nested ? [] : undefined;
  const whenReady = (act: () => void) => (held ? void held.push(act) : act());
  const release = () => {
    const acts = held ?? [];
    held = undefined;
    for (const act of acts) act();
  };
  const stdout = new PassThrough();
  stdout.on("drain", () => child.resume());
  child.onData((data: string | Buffer) => {
    let bytes = Buffer.from(data);
    if (held) {
      // Anything else is what kept the command from running.
      if (bytes[0] === ready) bytes = bytes.subarray(1);
      release();
    }
    if (bytes.length > 0 && !stdout.write(bytes)) child.pause();
  });
  const exited = new Promise<number>((resolve) =>
    child.onExit(({ exitCode, signal }) => {
      release();
      stdout.end();
      resolve(signal ? 128 + signal : exitCode);
    }),
  );
  let over = false;
  void exited.then(() => {
    over = true;
  });
  const stdin = new Writable({
    write(chunk: Buffer, _encoding, done) {
      whenReady(() => {
        if (!over) child.write(chunk as unknown as string);
        done();
      });
    },
    final(done) {
      whenReady(() => {
        if (!over) child.write(endOfTransmission);
        done();
      });
    },
  });
  return {
    stdin,
    stdout,
    stderr: undefined,
    resize: (columns, rows) =>
      whenReady(() => {
        if (!over) child.resize(Math.max(1, columns), Math.max(1, rows));
      }),
    exited,
    kill() {
      if (over) return;
      // The end of `script` hangs up the terminal inside; by itself it would wait for its command.
      const [inner] = nested ? childrenOf(child.pid) : [];
      signal(inner ?? child.pid, "SIGKILL");
    },
  };
}
