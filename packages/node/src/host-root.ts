/** What of this machine every container sees, read-only: programs and libraries, the harmless part of /etc, Node.js. */
import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

export interface HostRoot {
  readonly folders: readonly string[];
  /** Empty files, to be mounted upon. */
  readonly files: readonly string[];
  readonly links: readonly { readonly path: string; readonly to: string }[];
  readonly binds: readonly { readonly source: string; readonly target: string }[];
}

const nodePath = "/usr/local/bin/node";

/** Names and addresses are the pod's own (hosts, resolv.conf); secrets of the machine stay outside. */
const etc = [
  "alternatives",
  "ca-certificates",
  "ca-certificates.conf",
  "crypto-policies",
  "group",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "locale.conf",
  "localtime",
  "mime.types",
  "nsswitch.conf",
  "passwd",
  "pki",
  "protocols",
  "services",
  "ssl",
  "terminfo",
  "timezone",
];

export function hostRoot(nodeBinary: string): HostRoot {
  const folders = ["/etc", "/proc", "/dev/pts", "/dev/shm", "/tmp", "/var/tmp", "/run", "/home", "/root", "/mnt"];
  const files: string[] = [];
  const links: { path: string; to: string }[] = [];
  const binds: { source: string; target: string }[] = [];

  const show = (path: string) => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isSymbolicLink()) links.push({ path, to: readlinkSync(path) });
    else if (stat?.isDirectory() || stat?.isFile()) {
      (stat.isDirectory() ? folders : files).push(path);
      binds.push({ source: path, target: path });
    }
  };
  // A mount needs something to be mounted upon, and the folder above is read-only: where Node.js is not installed, the
  // folders above it are made anew and everything in them is shown one by one.
  const showAround = (path: string, inside: string) => {
    folders.push(path);
    for (const name of existsSync(path) ? readdirSync(path) : []) {
      const child = join(path, name);
      if (child === inside) continue;
      if (inside.startsWith(`${child}/`) && lstatSync(child).isDirectory()) showAround(child, inside);
      else show(child);
    }
    if (dirname(inside) === path) files.push(inside);
    else if (!existsSync(join(path, inside.slice(path.length + 1).split("/")[0] ?? ""))) folders.push(dirname(inside));
  };

  if (lstatSync(nodePath, { throwIfNoEntry: false })?.isFile()) show("/usr");
  else showAround("/usr", nodePath);
  binds.push({ source: realpathSync(nodeBinary), target: nodePath });
  for (const name of ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "nix", "gnu"]) show(`/${name}`);
  for (const name of etc) show(`/etc/${name}`);
  show("/sys/devices/system/cpu");
  return { folders, files, links, binds };
}

const standardPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/**
 * A program that only the developer's own PATH has (a version switcher below a home folder): the folders to show to the
 * container, and what to add to its PATH. Undefined when the container finds it by itself, or nobody does.
 */
export function hostTool(
  command: string,
  hostPath: string,
): { readonly folders: readonly string[]; readonly path: string } | undefined {
  if (command.includes("/") || command === "node" || standardPath.some((folder) => existsSync(join(folder, command))))
    return undefined;
  const folder = hostPath.split(":").find((entry) => entry.startsWith("/") && existsSync(join(entry, command)));
  if (!folder) return undefined;
  const homes = ["/", "/root", "/home", process.env.HOME ?? "/root"];
  const installed = (binFolder: string) => (homes.includes(dirname(binFolder)) ? binFolder : dirname(binFolder));
  const real = dirname(realpathSync(join(folder, command)));
  return { folders: [...new Set([installed(folder), installed(real)])], path: folder };
}
