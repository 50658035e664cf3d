/**
 * A container as processes in a mount and a PID namespace, made with util-linux alone. The first process is a shell that
 * builds a new root on a tmpfs, drops its privileges in a child, reaps, and exits with the child's code. When the agent dies, by whatever,
 * the kernel kills setpriv's child, then the first process, and with it everything in the PID namespace.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type HostRoot, hostTool } from "./host-root.ts";
import { isFolderMount, type MountPlan, mountPlan } from "./mount-plan.ts";
import { devices } from "./root-skeleton.ts";
import type { ContainerSpec } from "./runtime.ts";

export interface NamespaceOptions {
  readonly host: HostRoot;
  /** Undefined: as root. Otherwise all happens in a user namespace that knows one user only. */
  readonly rootless: boolean;
  /** A folder of the agent's own; must be reachable by itself only. */
  readonly stateDir: string;
  readonly hostPath: string;
}

/** Source: containerd pkg/oci/spec.go, the capabilities of an ordinary container. */
const ordinaryCapabilities = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FSETID",
  "FOWNER",
  "MKNOD",
  "NET_RAW",
  "SETGID",
  "SETUID",
  "SETFCAP",
  "SETPCAP",
  "NET_BIND_SERVICE",
  "SYS_CHROOT",
  "KILL",
  "AUDIT_WRITE",
];

const unshareArguments = (rootless: boolean) => [
  "--pdeathsig",
  "KILL",
  "unshare",
  ...(rootless ? ["--user", "--map-root-user"] : []),
  "--mount",
  "--uts",
  "--pid",
  "--fork",
  "--kill-child",
];

/** Whether this machine lets us make namespaces, and mount in them. */
export function namespacesWork(rootless: boolean): boolean {
  const probe = "mount -t tmpfs tmpfs /tmp && mkdir /tmp/proc && mount -t proc proc /tmp/proc";
  return spawnSync("setpriv", [...unshareArguments(rootless), "sh", "-c", probe], { stdio: "ignore" }).status === 0;
}

export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** As one word of a shell. */
export const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const fstabField = (text: string) =>
  text.replace(/[\\\s#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
const isShellName = (name: string) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);

/**
 * Where the output of a container is read: named pipes, since what Node.js makes are sockets, which no program can open
 * again as /dev/stdout.
 */
export const outputPath = (folder: string, stream: "stdout" | "stderr"): string => join(folder, stream);

/** Writes the set-up of a container into `folder` and says how to launch it. Descriptor 3 reports: P, the pipes are there (and waits for a line); R, it runs; X, its exit code; E, an error. */
export function namespacedLaunch(
  spec: ContainerSpec,
  folder: string,
  options: NamespaceOptions,
  cgroupProcs?: string,
): Launch {
  const root = join(options.stateDir, "root");
  mkdirSync(root, { recursive: true });
  mkdirSync(folder, { recursive: true });
  const tool = hostTool(spec.command[0] ?? "", options.hostPath);
  const plan = shownTo(spec, tool?.folders ?? []);
  const path = spec.env.PATH ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const env = { ...spec.env, PATH: tool ? `${path}:${tool.path}` : path };
  writeFileSync(join(folder, "fstab"), fstab(spec, root, options, plan), { mode: 0o600 });
  writeFileSync(join(folder, "init"), script(spec, root, folder, options, plan, env, cgroupProcs), {
    mode: 0o600,
  });
  return {
    file: "setpriv",
    args: [...unshareArguments(options.rootless), "/bin/sh", join(folder, "init")],
    env,
  };
}

/** Made by `makeRootSkeleton` before the first container. */
export const skeletonPath = (stateDir: string): string => join(stateDir, "skeleton");

const shownTo = (spec: ContainerSpec, tools: readonly string[]): MountPlan =>
  mountPlan([...tools.map((source) => ({ source, target: source, readOnly: true })), ...spec.mounts]);

function fstab(spec: ContainerSpec, root: string, { host, rootless }: NamespaceOptions, { mounts }: MountPlan): string {
  const lines: string[] = [];
  const line = (source: string, target: string, type: string, mountOptions: string) =>
    lines.push(`${fstabField(source)} ${fstabField(root + target)} ${type} ${mountOptions} 0 0`);
  const bind = (source: string, target: string, readOnly: boolean) =>
    // In a user namespace a bind mount takes along what is mounted below, or is refused.
    line(source, target, "none", `${rootless ? "rbind" : "bind"}${readOnly ? ",ro" : ""}`);
  for (const { source, target } of host.binds) bind(source, target, true);
  line("proc", "/proc", "proc", "nosuid,noexec,nodev");
  for (const device of devices) line(`/dev/${device}`, `/dev/${device}`, "none", "bind");
  line("devpts", "/dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=620");
  line("tmpfs", "/dev/shm", "tmpfs", "mode=1777,nosuid,nodev");
  // With a read-only root, /tmp is as read-only as on a cluster; the volumes say what may be written.
  if (!spec.readOnlyRoot) line("tmpfs", "/tmp", "tmpfs", "mode=1777,nosuid,nodev");
  for (const mount of mounts) {
    if (mount.kind === "tmpfs") line("tmpfs", mount.target, "tmpfs", "mode=1777,nosuid,nodev");
    else bind(mount.source, mount.target, mount.readOnly);
  }
  return `${lines.join("\n")}\n`;
}

function script(
  spec: ContainerSpec,
  root: string,
  folder: string,
  { rootless, stateDir }: NamespaceOptions,
  plan: MountPlan,
  env: Readonly<Record<string, string>>,
  cgroupProcs: string | undefined,
): string {
  const made: string[] = [];
  const links: string[] = [];
  const files: string[] = [];
  for (const mount of plan.mounts) {
    made.push(quote(`.${isFolderMount(mount) ? mount.target : dirname(mount.target)}`));
    if (!isFolderMount(mount)) files.push(quote(`.${mount.target}`));
  }
  for (const { path, to } of plan.links) {
    made.push(quote(`.${dirname(path)}`));
    links.push(`ln -s ${quote(to)} ${quote(`.${path}`)}`);
  }
  const inherited = Object.keys(env).filter((name) => !isShellName(name));
  const extra = inherited.map((name) => quote(`${name}=${env[name]}`)).join(" ");
  return `
path=$PATH
PATH=/usr/sbin:/usr/bin:/sbin:/bin
fail() { printf 'E%s' "$1" >&3; exit 128; }
mkfifo -m 622 ${quote(outputPath(folder, "stdout"))} ${quote(outputPath(folder, "stderr"))} || fail 'cannot make pipes'
exec 5<> ${quote(outputPath(folder, "stdout"))} 6<> ${quote(outputPath(folder, "stderr"))}
printf P >&3
# The file is root's alone; the command needs the right in the namespace only.
echo ${quote(spec.hostname)} > /proc/sys/kernel/hostname || hostname ${quote(spec.hostname)}
${cgroupProcs ? `echo 0 > ${quote(cgroupProcs)} || fail 'cannot enter the memory group'` : ""}
mount -t tmpfs -o mode=755 tmpfs ${quote(root)} && cd ${quote(root)} || fail 'cannot mount the root'
umask 022
cp -RPp ${quote(`${skeletonPath(stateDir)}/.`)} . || fail 'cannot make the root'
${made.length > 0 ? `mkdir -p ${[...new Set(made)].join(" ")} || fail 'cannot make the places of mounts'` : ""}
: ${files.map((file) => `>> ${file}`).join(" ")}
${links.join("\n")}
mount -a -T ${quote(join(folder, "fstab"))} 2> ${quote(join(folder, "mount-errors"))} \\
  || fail "$(cat ${quote(join(folder, "mount-errors"))})"
# What was the root lies over /mnt, whatever is mounted there, and goes.
pivot_root . mnt || fail 'cannot change the root'
cd / && umount -l /mnt || fail 'cannot leave the root of the machine'
[ -d ${quote(spec.workingDir)} ] || mkdir -p ${quote(spec.workingDir)} 2> /dev/null
${spec.readOnlyRoot ? "mount -o remount,bind,ro / || fail 'cannot make the root read-only'" : ""}
cd ${quote(spec.workingDir)} || fail ${quote(`no working folder ${spec.workingDir}`)}
unset OLDPWD
PATH=$path
${spec.command[0]?.includes("/") ? `[ -x ${quote(spec.command[0])} ]` : `command -v ${quote(spec.command[0] ?? "")} > /dev/null`} || fail ${quote(notFound(spec.command[0] ?? ""))}
# Nothing is printed before somebody reads.
read -r go <&3
# R is said by the process that becomes the command; X says its end, unless everything is killed.
(printf R >&3; exec ${dropPrivileges(spec, rootless)} ${extra ? `/usr/bin/env ${extra}` : ""} ${spec.command.map(quote).join(" ")} >&5 2>&6 3>&- 5>&- 6>&-)
code=$?
printf X%s $code >&3
exit $code
`;
}

export const notFound = (command: string): string =>
  command.includes("/")
    ? `exec: "${command}": no such file, or it cannot be executed`
    : `exec: "${command}": executable file not found in $PATH`;

/** The words that, before a command, make it run as the container's user with no more rights than the container has. */
export function dropPrivileges(spec: ContainerSpec, rootless: boolean): string {
  const { uid = 0, gid = uid === 0 ? 0 : uid, groups } = spec.user;
  const nnp = spec.noNewPrivileges ? ["--no-new-privs"] : [];
  if (rootless) {
    const words = ["/usr/bin/unshare", "--user", `--map-user=${uid}`, `--map-group=${gid}`];
    return [...(uid === 0 ? [] : words), "/usr/bin/setpriv", ...(nnp.length > 0 ? nnp : ["--keep-groups"])].join(" ");
  }
  const ambient = uid === 0 ? [] : spec.capabilities.add.filter((name) => name === "NET_BIND_SERVICE");
  const words = ["/usr/bin/setpriv", "--reuid", String(uid), "--regid", String(gid)];
  words.push(...(groups.length > 0 ? ["--groups", groups.join(",")] : ["--clear-groups"]));
  if (!spec.privileged) words.push("--bounding-set", boundingSet(spec));
  if (ambient.length > 0) words.push("--inh-caps", "+net_bind_service", "--ambient-caps", "+net_bind_service");
  return [...words, ...nnp].join(" ");
}

function boundingSet({ capabilities: { add, drop } }: ContainerSpec): string {
  if (add.includes("ALL")) return "+all";
  const kept = drop.includes("ALL") ? [] : ordinaryCapabilities.filter((name) => !drop.includes(name));
  return ["-all", ...new Set([...kept, ...add].map((name) => `+${name.toLowerCase()}`))].join(",");
}
