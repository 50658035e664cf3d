/**
 * Volumes as folders: <root>/<pod uid>/<volume>. Files appear all at once: a new folder of them is written, then the link
 * ..data is moved to it.
 *
 * Source: kubernetes pkg/volume/util/atomic_writer.go.
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, isAbsolute, join, normalize } from "node:path";
import type { Clock } from "@flotilla/ambient";
import type { Pod } from "@flotilla/objects";
import type { VolumeFile, VolumePlan } from "./pod-volumes.ts";
import type { Volumes } from "./volumes.ts";

export interface Token {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface VolumeFoldersOptions {
  readonly clock: Clock;
  readonly root: string;
  /** Asks the API for a token of the pod's ServiceAccount. */
  readonly requestToken: (pod: Pod, audience: string | undefined, expirationSeconds: number) => Promise<Token>;
}

/** A token is renewed when this part of its life is over. Source: kubernetes pkg/kubelet/token/token_manager.go. */
const renewAfter = 0.8;

export function volumeFolders({ clock, root, requestToken }: VolumeFoldersOptions): Volumes {
  const tokens = new Map<string, Token & { readonly renewAt: number }>();
  let written = 0;

  async function tokenFor(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<string> {
    const key = `${pod.metadata.uid}/${audience ?? ""}`;
    const known = tokens.get(key);
    if (known && clock.now() < known.renewAt) return known.token;
    const fresh = await requestToken(pod, audience, expirationSeconds);
    tokens.set(key, { ...fresh, renewAt: clock.now() + (fresh.expiresAt - clock.now()) * renewAfter });
    return fresh.token;
  }

  const contentOf = async (pod: Pod, { content }: VolumeFile) =>
    "base64" in content
      ? Buffer.from(content.base64, "base64")
      : Buffer.from(await tokenFor(pod, content.token.audience, content.token.expirationSeconds));

  async function writeFiles(pod: Pod, folder: string, files: readonly VolumeFile[]) {
    const contents = await Promise.all(files.map((file) => contentOf(pod, file)));
    const group = groupOf(pod);
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    const before = existsSync(join(folder, "..data")) ? readlinkSync(join(folder, "..data")) : undefined;
    const signature = JSON.stringify(files.map(({ path, mode }, at) => [path, mode, contents[at]?.toString("base64")]));
    if (before !== undefined && signatures.get(folder) === signature) return;
    const now = `..${clock.now()}_${written++}`;
    files.forEach(({ path, mode }, at) => {
      const safe = normalize(path);
      if (isAbsolute(safe) || safe.startsWith("..")) throw new Error(`path "${path}" leaves its volume`);
      const file = join(folder, now, safe);
      mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
      writeFileSync(file, contents[at] as Buffer);
      chmodSync(file, group === undefined ? mode : mode | 0o440);
      own(file, group);
    });
    if (files.length === 0) mkdirSync(join(folder, now));
    symlinkSync(now, join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    const roots = new Set(files.map(({ path }) => normalize(path).split("/")[0] as string));
    for (const name of roots)
      if (!lstatSync(join(folder, name), { throwIfNoEntry: false })) symlinkSync(`..data/${name}`, join(folder, name));
    for (const name of readdirSync(folder))
      if (!name.startsWith("..") && !roots.has(name)) rmSync(join(folder, name), { recursive: true });
    if (before !== undefined) rmSync(join(folder, before), { recursive: true, force: true });
    signatures.set(folder, signature);
  }
  const signatures = new Map<string, string>();

  async function prepareOne(pod: Pod, plan: VolumePlan): Promise<string> {
    const folder = join(root, pod.metadata.uid ?? "", plan.name);
    if (plan.kind === "files") {
      await writeFiles(pod, folder, plan.files);
      return folder;
    }
    if (plan.kind === "empty") {
      const place = plan.inMemory && existsSync("/dev/shm") ? memoryFolder(pod, plan.name) : folder;
      if (!existsSync(place)) {
        mkdirSync(place, { recursive: true });
        chmodSync(place, 0o777);
        groupOwned(place, groupOf(pod));
      }
      return place;
    }
    const { path, create, must } = plan;
    if (create && !existsSync(path)) {
      mkdirSync(create === "folder" ? path : dirname(path), { recursive: true });
      if (create === "file") writeFileSync(path, "");
      else chmodSync(path, 0o777);
    }
    if (must && !existsSync(path)) throw new Error(`hostPath type check failed: ${path} is not a ${must}`);
    if (must && statSync(path).isDirectory() !== (must === "folder"))
      throw new Error(`hostPath type check failed: ${path} is not a ${must}`);
    if (!existsSync(path)) throw new Error(`there is no ${path} on this node`);
    if (create === "folder") groupOwned(path, groupOf(pod));
    return path;
  }

  const volumes: Volumes = {
    async keepOnly(podUids) {
      const uids = existsSync(root) ? readdirSync(root) : [];
      for (const uid of uids) if (!podUids.has(uid)) await volumes.remove(uid);
    },
    async prepare(pod, plans) {
      const folders = new Map<string, string>();
      for (const plan of plans) {
        try {
          folders.set(plan.name, await prepareOne(pod, plan));
        } catch (error) {
          throw new Error(`MountVolume.SetUp failed for volume "${plan.name}" : ${(error as Error).message}`);
        }
      }
      return folders;
    },
    async remove(podUid) {
      rmSync(join(root, podUid), { recursive: true, force: true });
      for (const name of existsSync("/dev/shm") ? readdirSync("/dev/shm") : [])
        if (name.startsWith(`flotilla-${podUid}-`)) rmSync(join("/dev/shm", name), { recursive: true, force: true });
      for (const key of tokens.keys()) if (key.startsWith(`${podUid}/`)) tokens.delete(key);
      for (const key of signatures.keys()) if (key.startsWith(join(root, podUid))) signatures.delete(key);
    },
  };
  return volumes;
}

const memoryFolder = (pod: Pod, volume: string) => join("/dev/shm", `flotilla-${pod.metadata.uid}-${volume}`);

/** fsGroup, of which all files of the pod's own volumes are. */
const groupOf = ({ spec }: Pod) => spec.securityContext?.fsGroup;

const asRoot = () => process.getuid?.() === 0;

function own(path: string, group: number | undefined) {
  const sameUser = -1;
  if (group !== undefined && asRoot()) chownSync(path, sameUser, group);
}

/** Source: kubernetes pkg/volume/volume_linux.go: the group may read and write, and what is made inside belongs to it. */
function groupOwned(path: string, group: number | undefined) {
  if (group === undefined || !asRoot() || statSync(path).gid === group) return;
  own(path, group);
  chmodSync(path, statSync(path).mode | 0o2070);
}
