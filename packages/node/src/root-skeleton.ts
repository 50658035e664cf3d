/**
 * The root of every container before anything is mounted: empty folders, empty files and links, made once by the agent. Each
 * container copies it with one process; processes are what a start costs.
 */
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { HostRoot } from "./host-root.ts";

export const devices = ["null", "zero", "full", "random", "urandom", "tty"];

const deviceLinks = [
  { path: "/dev/fd", to: "/proc/self/fd" },
  { path: "/dev/ptmx", to: "pts/ptmx" },
  { path: "/dev/stdin", to: "/proc/self/fd/0" },
  { path: "/dev/stdout", to: "/proc/self/fd/1" },
  { path: "/dev/stderr", to: "/proc/self/fd/2" },
];

/** What was there before is replaced. */
export function makeRootSkeleton(host: HostRoot, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  const make = (path: string) => {
    if (path !== "/" && mkdirSync(folder + path, { recursive: true, mode: 0o755 })) chmodAbove(path);
  };
  // Whatever umask the agent was given: every user of a container passes through these.
  const chmodAbove = (path: string) => {
    for (let each = path; each !== "/"; each = dirname(each)) chmodSync(folder + each, 0o755);
  };
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  for (const path of host.folders) make(path);
  for (const path of [...host.files, ...devices.map((name) => `/dev/${name}`)]) {
    make(dirname(path));
    writeFileSync(join(folder, path), "");
    chmodSync(join(folder, path), 0o644);
  }
  for (const { path, to } of [...host.links, ...deviceLinks]) {
    make(dirname(path));
    symlinkSync(to, join(folder, path));
  }
  for (const path of ["/tmp", "/var/tmp"]) chmodSync(folder + path, 0o1777);
}
