/**
 * What a pod's volumes hold, as data: which files with which content, which folders. `volume-folders.ts` makes them.
 *
 * Source: kubernetes pkg/volume/{configmap,secret,projected,downwardapi}.
 */
import type { DownwardAPIVolumeFile, KeyToPath, Pod, Volume } from "@flotilla/objects";
import { type NodeFacts, podField, type Resolved, resourceField } from "./container-env.ts";
import { ephemeralClaim, type PodInputs } from "./pod-inputs.ts";

export interface VolumeFile {
  /** Relative, with slashes. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly content: Content;
}

/** A token is asked of the API when the file is written, and again before it expires. */
export type Content =
  | { readonly base64: string }
  | { readonly token: { readonly audience?: string; readonly expirationSeconds: number } };

export type VolumePlan = { readonly name: string } & (
  | { readonly kind: "files"; readonly files: readonly VolumeFile[]; readonly defaultMode: number }
  | { readonly kind: "empty"; readonly inMemory: boolean }
  /** A folder or file of this machine. `create`: made when missing. */
  | {
      readonly kind: "host";
      readonly path: string;
      readonly create?: "folder" | "file";
      readonly must?: "folder" | "file";
    }
);

const text = (content: string): Content => ({ base64: Buffer.from(content).toString("base64") });

class Problem extends Error {}

export function podVolumes(
  pod: Pod,
  inputs: PodInputs,
  podIP: string,
  node: NodeFacts,
): Resolved<readonly VolumePlan[]> {
  const plans: VolumePlan[] = [];
  for (const volume of pod.spec.volumes ?? []) {
    try {
      plans.push({ name: volume.name, ...planOf(pod, volume, inputs, podIP, node) } as VolumePlan);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return { problem: `MountVolume.SetUp failed for volume "${volume.name}" : ${error.message}` };
    }
  }
  return { value: plans };
}

type Plan = VolumePlan extends infer P ? (P extends VolumePlan ? Omit<P, "name"> : never) : never;

function planOf(pod: Pod, volume: Volume, inputs: PodInputs, podIP: string, node: NodeFacts): Plan {
  const { configMap, secret, downwardAPI, projected, persistentVolumeClaim, ephemeral, hostPath } = volume;
  const files = (defaultMode: number | undefined, list: readonly VolumeFile[]): Plan => ({
    kind: "files",
    defaultMode: defaultMode ?? 0o644,
    files: list,
  });
  if (configMap) {
    const { name = "", items, defaultMode = 0o644, optional } = configMap;
    return files(defaultMode, configMapFiles(name, items, defaultMode, optional, inputs));
  }
  if (secret) {
    const { secretName = "", items, defaultMode = 0o644, optional } = secret;
    return files(defaultMode, secretFiles(secretName, items, defaultMode, optional, inputs));
  }
  if (downwardAPI) {
    const { items = [], defaultMode = 0o644 } = downwardAPI;
    return files(defaultMode, downwardFiles(pod, items, defaultMode, podIP, node));
  }
  if (projected) {
    const { sources = [], defaultMode = 0o644 } = projected;
    const parts = sources.flatMap((source): readonly VolumeFile[] => {
      if (source.configMap) {
        const { name = "", items, optional } = source.configMap;
        return configMapFiles(name, items, defaultMode, optional, inputs);
      }
      if (source.secret) {
        const { name = "", items, optional } = source.secret;
        return secretFiles(name, items, defaultMode, optional, inputs);
      }
      if (source.downwardAPI) return downwardFiles(pod, source.downwardAPI.items ?? [], defaultMode, podIP, node);
      if (source.serviceAccountToken) {
        const { path, audience, expirationSeconds = 3600 } = source.serviceAccountToken;
        return [{ path, mode: defaultMode, content: { token: { audience, expirationSeconds } } }];
      }
      throw new Problem(`projected source ${Object.keys(source).join(", ")} is not supported`);
    });
    return files(defaultMode, parts);
  }
  if (persistentVolumeClaim) return claimed(persistentVolumeClaim.claimName, inputs);
  if (ephemeral) return claimed(ephemeralClaim(pod, volume.name), inputs);
  if (hostPath) {
    const { path, type } = hostPath;
    if (type === "DirectoryOrCreate") return { kind: "host", path, create: "folder" };
    if (type === "FileOrCreate") return { kind: "host", path, create: "file" };
    if (type === "Directory") return { kind: "host", path, must: "folder" };
    if (type === "File") return { kind: "host", path, must: "file" };
    return { kind: "host", path };
  }
  if (volume.emptyDir || Object.keys(volume).length === 1)
    return { kind: "empty", inMemory: volume.emptyDir?.medium === "Memory" };
  const kind = Object.keys(volume).find((key) => key !== "name");
  throw new Problem(`volumes of type ${kind} are not supported on this node`);
}

function claimed(name: string, { claims }: PodInputs): Plan {
  const volume = claims.get(name);
  if (!volume) throw new Problem(`persistentvolumeclaim "${name}" is not bound`);
  const path = volume.spec?.hostPath?.path ?? volume.spec?.local?.path;
  if (path === undefined)
    throw new Problem(`persistentvolume "${volume.metadata.name}" is neither of type hostPath nor local`);
  return { kind: "host", path, create: "folder" };
}

function selected(
  what: string,
  data: ReadonlyMap<string, Content>,
  items: readonly KeyToPath[] | undefined,
  defaultMode: number,
  optional: boolean | undefined,
): VolumeFile[] {
  if (!items?.length) return [...data].map(([path, content]) => ({ path, mode: defaultMode, content }));
  return items.flatMap(({ key, path, mode }) => {
    const content = data.get(key);
    if (content) return [{ path, mode: mode ?? defaultMode, content }];
    if (optional) return [];
    throw new Problem(`${what} references non-existent key: ${key}`);
  });
}

function configMapFiles(
  name: string,
  items: readonly KeyToPath[] | undefined,
  mode: number,
  optional: boolean | undefined,
  { configMaps }: PodInputs,
): VolumeFile[] {
  const found = configMaps.get(name);
  if (!found && !optional) throw new Problem(`configmap "${name}" not found`);
  const data = new Map<string, Content>();
  for (const [key, value] of Object.entries(found?.data ?? {})) data.set(key, text(value));
  for (const [key, base64] of Object.entries(found?.binaryData ?? {})) data.set(key, { base64 });
  return selected("configmap", data, items, mode, optional);
}

function secretFiles(
  name: string,
  items: readonly KeyToPath[] | undefined,
  mode: number,
  optional: boolean | undefined,
  { secrets }: PodInputs,
): VolumeFile[] {
  const found = secrets.get(name);
  if (!found && !optional) throw new Problem(`secret "${name}" not found`);
  const data = new Map<string, Content>();
  for (const [key, base64] of Object.entries(found?.data ?? {})) data.set(key, { base64 });
  return selected("secret", data, items, mode, optional);
}

function downwardFiles(
  pod: Pod,
  items: readonly DownwardAPIVolumeFile[],
  defaultMode: number,
  podIP: string,
  node: NodeFacts,
): VolumeFile[] {
  return items.map(({ path, mode = defaultMode, fieldRef, resourceFieldRef }) => {
    const [first] = pod.spec.containers;
    const value = fieldRef
      ? podField(pod, fieldRef.fieldPath, podIP, node)
      : resourceFieldRef && first
        ? resourceField(pod, first, resourceFieldRef, node)
        : "";
    return { path, mode, content: text(value) };
  });
}
