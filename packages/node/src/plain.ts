/**
 * A container as an ordinary process, where namespaces are refused: environment and working folder only. Paths below a mount
 * become the real ones in the working folder, in arguments and in the environment. What it started and did not live to
 * end is killed at the next start, by (pid, start time, boot).
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Launch, notFound } from "./namespaces.ts";
import { familyOf, processEntry, processTable } from "./process-table.ts";
import { type ContainerSpec, type Mount, StartError } from "./runtime.ts";

export const canDieWithParent = (): boolean =>
  spawnSync("setpriv", ["--pdeathsig", "KILL", "true"], { stdio: "ignore" }).status === 0;

/** Fields that only namespaces can honour. */
export function plainShortcomings(spec: ContainerSpec): string[] {
  const volumes = spec.mounts.filter(
    ({ target }) => !/^\/(app|etc\/hosts$|etc\/resolv\.conf$|dev\/|run\/flotilla\/)/.test(target),
  );
  return [
    ...(spec.readOnlyRoot ? ["securityContext.readOnlyRootFilesystem"] : []),
    ...(spec.capabilities.add.length + spec.capabilities.drop.length > 0 ? ["securityContext.capabilities"] : []),
    ...(spec.user.uid !== undefined && process.getuid?.() !== 0 && spec.user.uid !== process.getuid?.()
      ? ["securityContext.runAsUser"]
      : []),
    ...volumes.map(({ target }) => `volumeMounts (${target} is at its real path only)`),
    "/etc/hosts",
  ];
}

/** Where a path of the container really is. */
function realPath(path: string, mounts: readonly Mount[]): string {
  const holds = (target: string) => path === target || path.startsWith(target.endsWith("/") ? target : `${target}/`);
  const mount = mounts
    .filter(({ target, kind }) => kind !== "tmpfs" && holds(target))
    .sort((a, b) => b.target.length - a.target.length)[0];
  return mount ? mount.source + path.slice(mount.target.length) : path;
}

/** A mount inside another (/app/node_modules in /app) cannot be had without mounts: the outer one is copied, the inner linked. */
function flatten(mounts: readonly Mount[], folder: string): Mount[] {
  const inside = (mount: Mount) => mounts.filter(({ target }) => target.startsWith(`${mount.target}/`));
  const outer = mounts.filter((mount) => !mounts.some(({ target }) => mount.target.startsWith(`${target}/`)));
  return outer.map((mount) => {
    const inner = inside(mount);
    if (inner.length === 0 || mount.kind === "tmpfs") return mount;
    const copy = join(folder, "files", mount.target);
    cpSync(mount.source, copy, { recursive: true, verbatimSymlinks: true });
    for (const { source, target } of inner) {
      const place = join(copy, target.slice(mount.target.length));
      rmSync(place, { recursive: true, force: true });
      mkdirSync(dirname(place), { recursive: true });
      symlinkSync(source, place);
    }
    return { ...mount, source: copy };
  });
}

export function plainLaunch(
  spec: ContainerSpec,
  folder: string,
  options: { readonly nodeBinary: string; readonly hostPath: string; readonly dieWithParent: boolean },
): Launch & { readonly cwd: string } {
  mkdirSync(folder, { recursive: true });
  const mounts = flatten(spec.mounts, folder);
  const real = (path: string) => (path.startsWith("/") ? realPath(path, mounts) : path);
  const command = spec.command.map(real);
  if (command[0] === "node") command[0] = options.nodeBinary;
  const path = spec.env.PATH ?? [dirname(options.nodeBinary), options.hostPath].join(":");
  const env: Record<string, string> = {
    ...Object.fromEntries(Object.entries(spec.env).map(([name, value]) => [name, real(value)])),
    PATH: path,
  };
  const { NODE_OPTIONS: nodeOptions } = spec.env;
  if (nodeOptions) env.NODE_OPTIONS = nodeOptions.replace(/(?<==)\/\S+/g, (found) => real(found));
  const [file = "", ...args] = command;
  const places = file.includes("/") ? [file] : path.split(":").map((place) => join(place, file));
  if (!places.some((place) => existsSync(place))) throw new StartError(notFound(spec.command[0] ?? ""));
  const cwd = existsSync(real(spec.workingDir)) ? real(spec.workingDir) : folder;
  if (!options.dieWithParent) return { file, args, env, cwd };
  return { file: "setpriv", args: ["--pdeathsig", "KILL", "--", file, ...args], env, cwd };
}

interface Leftover {
  readonly pid: number;
  readonly startTicks: number;
  readonly boot: string;
}

const bootId = () => {
  const path = "/proc/sys/kernel/random/boot_id";
  return existsSync(path) ? readFileSync(path, "latin1").trim() : "";
};

export function record(stateDir: string, id: string, pid: number): void {
  const folder = join(stateDir, "processes");
  mkdirSync(folder, { recursive: true });
  const leftover: Leftover = { pid, startTicks: processEntry(pid)?.startTicks ?? 0, boot: bootId() };
  writeFileSync(join(folder, `${id}.json`), JSON.stringify(leftover));
}

export const forget = (stateDir: string, id: string): void =>
  rmSync(join(stateDir, "processes", `${id}.json`), { force: true });

/** Kills what an agent that died left running: the very processes it recorded, never one that got the same pid later. */
export function killLeftovers(stateDir: string): void {
  const folder = join(stateDir, "processes");
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const { pid, startTicks, boot } = JSON.parse(readFileSync(join(folder, name), "utf8")) as Leftover;
    const leader = processEntry(pid);
    // A leader that is gone may have left its group, whose number no new process gets while the group lives.
    const same = boot === bootId() && (leader === undefined || leader.startTicks === startTicks);
    if (same) for (const entry of familyOf(pid, processTable())) killQuietly(entry.pid);
    rmSync(join(folder, name), { force: true });
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Already gone.
  }
}
