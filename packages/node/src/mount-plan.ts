/**
 * Makes mounts possible in the order given: a mount inside another needs a folder or file to be mounted upon. In a folder that may
 * be written it is made; a read-only one (an image's /app without node_modules) is shown entry by entry instead.
 */
import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Mount } from "./runtime.ts";

export interface MountPlan {
  readonly mounts: readonly Mount[];
  readonly links: readonly { readonly path: string; readonly to: string }[];
}

const depth = (path: string) => path.split("/").filter(Boolean).length;
const isInside = (path: string, folder: string) => path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);

export function mountPlan(asked: readonly Mount[]): MountPlan {
  const planned: Mount[] = [];
  const links: { path: string; to: string }[] = [];
  const inDepth = asked.toSorted((a, b) => depth(a.target) - depth(b.target));

  function show(mount: Mount, inner: readonly Mount[]) {
    const lacking = inner.filter(({ target }) => !existsSync(mount.source + target.slice(mount.target.length)));
    if (mount.kind === "tmpfs" || lacking.length === 0) return planned.push(mount);
    if (!mount.readOnly) {
      for (const each of lacking) makePlace(mount.source + each.target.slice(mount.target.length), each);
      return planned.push(mount);
    }
    for (const name of readdirSync(mount.source)) {
      const child = { ...mount, source: join(mount.source, name), target: join(mount.target, name) };
      if (inner.some(({ target }) => target === child.target)) continue;
      const stat = lstatSync(child.source);
      const deeper = inner.filter(({ target }) => isInside(target, child.target));
      if (stat.isSymbolicLink()) links.push({ path: child.target, to: readlinkSync(child.source) });
      else if (stat.isDirectory()) show(child, deeper);
      else if (stat.isFile()) planned.push(child);
    }
    return planned.length;
  }

  for (const mount of inDepth) {
    // Only what is mounted directly upon this one; deeper mounts find their place in between.
    const inner = inDepth.filter(
      (other) =>
        isInside(other.target, mount.target) &&
        !inDepth.some((between) => isInside(between.target, mount.target) && isInside(other.target, between.target)),
    );
    show(mount, inner);
  }
  return { mounts: planned.toSorted((a, b) => depth(a.target) - depth(b.target)), links };
}

export const isFolderMount = (mount: Mount): boolean => mount.kind === "tmpfs" || statSync(mount.source).isDirectory();

function makePlace(path: string, mount: Mount) {
  if (isFolderMount(mount)) return void mkdirSync(path, { recursive: true });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "", { flag: "a" });
}
