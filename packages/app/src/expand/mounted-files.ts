/** `files`: a ConfigMap with the content, mounted file by file, and mounts of single keys of Secrets. */
import { type ConfigMap, ConfigMaps, newObject, type Volume, type VolumeMount } from "@flotilla/objects";
import { asText } from "../files.ts";
import type { FileContent, Program } from "../model/service.ts";
import { type Expansion, hashOf, metadataOf, type Part } from "./context.ts";

export interface MountedFiles {
  readonly configMap: ConfigMap | undefined;
  readonly volumes: Volume[];
  readonly mounts: VolumeMount[];
  /** Of all content; undefined without files. */
  readonly hash: string | undefined;
}

/** "/etc/shop/rules.json" as a key of a ConfigMap: "etc.shop.rules.json". */
const keyOfPath = (path: string): string => path.slice(1).replace(/[^-._a-zA-Z0-9]/g, ".");

/** The content of a ConfigMap's key: text where it is UTF-8, else base64. */
export function configMapData(contents: Readonly<Record<string, Uint8Array>>): Pick<ConfigMap, "data" | "binaryData"> {
  const data: Record<string, string> = {};
  const binaryData: Record<string, string> = {};
  for (const [key, content] of Object.entries(contents)) {
    const text = asText(content);
    if (text === undefined) binaryData[key] = Buffer.from(content).toString("base64");
    else data[key] = text;
  }
  return {
    ...(Object.keys(data).length > 0 && { data }),
    ...(Object.keys(binaryData).length > 0 && { binaryData }),
  };
}

type AnyContent = FileContent<{
  service: string;
  backing: string;
  external: string;
  job: string;
  secrets: Record<string, string>;
}>;

/** A file that is not there is left out: check names it. */
export function mountedFiles(expansion: Expansion, part: Part, files: Program["files"]): MountedFiles {
  const contents: Record<string, Uint8Array> = {};
  const mounts: VolumeMount[] = [];
  const secrets = new Map<string, string[]>();
  for (const [path, content] of Object.entries(files ?? {}) as [string, AnyContent][]) {
    if ("secret" in content) {
      secrets.set(content.secret, [...(secrets.get(content.secret) ?? []), content.key]);
      mounts.push({ name: `secret-${content.secret}`, mountPath: path, subPath: content.key, readOnly: true });
      continue;
    }
    const bytes = "text" in content ? new TextEncoder().encode(content.text) : expansion.files.read(content.file);
    if (!bytes) continue;
    contents[keyOfPath(path)] = bytes;
    mounts.push({ name: "files", mountPath: path, subPath: keyOfPath(path), readOnly: true });
  }
  const volumes: Volume[] = [...secrets].map(([name, keys]) => ({
    name: `secret-${name}`,
    secret: { secretName: name, items: [...new Set(keys)].map((key) => ({ key, path: key })), defaultMode: 0o444 },
  }));
  if (Object.keys(contents).length === 0) return { configMap: undefined, volumes, mounts, hash: undefined };
  const name = `${part.name}-files`;
  const data = configMapData(contents);
  return {
    configMap: newObject(ConfigMaps, { metadata: metadataOf(expansion, part, name), ...data }),
    volumes: [{ name: "files", configMap: { name, defaultMode: 0o444 } }, ...volumes],
    mounts,
    hash: hashOf(data),
  };
}
