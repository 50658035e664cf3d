/**
 * What the agent asks of whatever runs containers. `runtime.cases.ts` holds for each implementation: processes of this
 * machine (`process-runtime.ts`) and simulated ones (`simulated-runtime.ts`). Pods, restarts and probes are the agent's.
 */
import type { Readable, Writable } from "node:stream";
import type { Cancel } from "@flotilla/ambient";

export interface Mount {
  /** A file or folder of this machine; "tmpfs" mounts have none. */
  readonly source: string;
  /** Absolute path in the container. */
  readonly target: string;
  readonly readOnly: boolean;
  readonly kind?: "bind" | "tmpfs";
}

export interface ContainerUser {
  /** Undefined: as the agent itself (in namespaces: root of the container). */
  readonly uid?: number;
  readonly gid?: number;
  readonly groups: readonly number[];
}

export interface ContainerSpec {
  /** Chosen by the caller, unique, fit for a file name. */
  readonly id: string;
  readonly hostname: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly user: ContainerUser;
  readonly mounts: readonly Mount[];
  readonly readOnlyRoot: boolean;
  readonly noNewPrivileges: boolean;
  readonly privileged: boolean;
  /** Names without CAP_, upper case; "ALL" stands for all. */
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] };
  /** More is the end of the container, with reason OOMKilled. */
  readonly memoryBytes?: number;
  /** Keep standard input open, for attach. */
  readonly stdin?: boolean;
  /** Lines of standard output and error go there, as CRI has them. */
  readonly logPath: string;
  /** Run beside the agent, without namespaces of its own (static pods). */
  readonly unconfined?: boolean;
}

export interface Exit {
  /** 128 + signal number when a signal ended it. */
  readonly exitCode: number;
  readonly reason?: "OOMKilled";
}

export type RuntimeEvent = { readonly type: "exited"; readonly id: string; readonly exit: Exit };

export interface RunningContainer {
  readonly id: string;
  readonly pids: readonly number[];
  /** CPU time of all its processes since its start. */
  readonly cpuNanoseconds: number;
  /** Resident memory that is its own (anonymous and shared). */
  readonly memoryBytes: number;
}

export interface ExecOptions {
  readonly stdin?: boolean;
  readonly tty?: boolean;
  /** Of the terminal, to begin with. */
  readonly size?: { readonly columns: number; readonly rows: number };
}

export interface ExecSession {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  /** Undefined with a terminal. */
  readonly stderr: Readable | undefined;
  resize(columns: number, rows: number): void;
  /** The exit code; resolves after the streams have ended. */
  readonly exited: Promise<number>;
  kill(): void;
}

/** The command cannot be run at all: not found, no such folder, a mount that failed. */
export class StartError extends Error {
  override readonly name = "StartError";
}

export interface Runtime {
  /** As in the prefix of a containerID: "process". */
  readonly scheme: string;
  /** Fields of this container that the runtime cannot honour; empty: all are. */
  shortcomings(spec: ContainerSpec): readonly string[];
  /** The lowest port that this container may listen on; left out: any. */
  lowestPort?(spec: ContainerSpec): number;
  /** Resolves when the command has been started; rejects with a StartError, and then nothing is left. */
  start(spec: ContainerSpec): Promise<void>;
  /** SIGTERM, and SIGKILL when it still runs after `graceMs` (0: at once). Resolves when it has ended; unknown ids have. */
  stop(id: string, graceMs: number): Promise<void>;
  /** Rejects with a StartError when the container does not run or has no such command. */
  exec(id: string, command: readonly string[], options: ExecOptions): Promise<ExecSession>;
  /** Its own standard streams from now on; `exited` resolves when the container ends or `kill` detaches. */
  attach(id: string): Promise<ExecSession>;
  list(): Promise<readonly RunningContainer[]>;
  watch(listener: (event: RuntimeEvent) => void): Cancel;
  /** Ends everything that is still there and lets go of what the runtime holds. */
  close(): Promise<void>;
}
