/** What is mounted into containers. Source: kubernetes pkg/apis/core/validation */
import {
  compareQuantities,
  type DownwardAPIVolumeFile,
  dns1123Label,
  dns1123Subdomain,
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  type KeyToPath,
  required,
  type Volume,
  type VolumeProjection,
} from "@flotilla/objects";
import { claimSpecMistakes } from "../core/claim-spec.ts";
import { flat, isRelative, named, noBacksteps, oneOf, requiredName } from "../mistakes.ts";
import { fieldRefMistakes, ofVolume, resourceRefMistakes } from "./env.ts";

export const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

const mostMode = 0o777;
const tenMinutes = 600;

export function volumesMistakes(path: string, volumes: readonly Volume[] | undefined): FieldError[] {
  const names = new Set<string>();
  return flat(volumes, (volume, i) => {
    const at = `${path}[${i}]`;
    const mistakes = sourceMistakes(at, volume);
    mistakes.push(...requiredName(`${at}.name`, volume.name, dns1123Label));
    if (volume.name && names.has(volume.name)) mistakes.push(duplicate(`${at}.name`, volume.name));
    names.add(volume.name);
    return mistakes;
  });
}

/** One source each; the order is the one in which a second is noticed. */
function sourceMistakes(path: string, volume: Volume): FieldError[] {
  const { name: _, ...sources } = volume;
  const given = order.filter((kind) => sources[kind] !== undefined);
  const unlisted = Object.keys(sources).filter((kind) => !(order as readonly string[]).includes(kind));
  const [first, ...more] = [...given, ...unlisted];
  if (first === undefined) return [required(path, "must specify a volume type")];
  const mistakes = more.map((kind) => forbiddenField(`${path}.${kind}`, "may not specify more than 1 volume type"));
  return [...mistakes, ...checked(`${path}.${first}`, { name: "", [first]: sources[first as keyof typeof sources] })];
}

const order = [
  "emptyDir",
  "hostPath",
  "gitRepo",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "secret",
  "nfs",
  "iscsi",
  "persistentVolumeClaim",
  "downwardAPI",
  "configMap",
  "projected",
  "csi",
  "ephemeral",
  "image",
] as const;

function checked(path: string, volume: Volume): FieldError[] {
  const { emptyDir, hostPath, secret, configMap, nfs, csi, downwardAPI, projected, ephemeral } = volume;
  const claim = volume.persistentVolumeClaim;
  if (emptyDir?.sizeLimit !== undefined && compareQuantities(emptyDir.sizeLimit, "0") < 0)
    return [forbiddenField(`${path}.sizeLimit`, "SizeLimit field must be a valid resource quantity")];
  if (hostPath)
    return hostPath.path
      ? [...noBacksteps(`${path}.path`, hostPath.path), ...oneOf(`${path}.type`, hostPath.type, hostPathTypes)]
      : [required(`${path}.path`)];
  if (secret) return keysMistakes(path, "secretName", secret.secretName, secret);
  if (configMap) return keysMistakes(path, "name", configMap.name, configMap);
  if (nfs)
    return [
      ...(nfs.server ? [] : [required(`${path}.server`)]),
      ...(nfs.path ? [] : [required(`${path}.path`)]),
      ...(nfs.path?.startsWith("/") ? [] : [invalidValue(`${path}.path`, nfs.path ?? "", "must be an absolute path")]),
    ];
  if (csi)
    return [
      ...(csi.driver ? [] : [required(`${path}.driver`)]),
      ...named(`${path}.driver`, (csi.driver ?? "").toLowerCase(), dns1123Subdomain),
    ];
  if (claim) return claim.claimName ? [] : [required(`${path}.claimName`)];
  if (downwardAPI)
    return [
      ...modeMistakes(`${path}.defaultMode`, downwardAPI.defaultMode),
      ...flat(downwardAPI.items, (file) => fileMistakes(path, file)),
    ];
  if (projected)
    return [
      ...modeMistakes(`${path}.defaultMode`, projected.defaultMode),
      ...projectionMistakes(path, projected.sources),
    ];
  if (ephemeral)
    return ephemeral.volumeClaimTemplate
      ? claimSpecMistakes(`${path}.volumeClaimTemplate.spec`, ephemeral.volumeClaimTemplate.spec)
      : [required(`${path}.volumeClaimTemplate`)];
  return [];
}

function modeMistakes(path: string, mode: number | undefined): FieldError[] {
  if (mode === undefined || (mode >= 0 && mode <= mostMode)) return [];
  return [invalidValue(path, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}

const keysMistakes = (
  path: string,
  nameField: string,
  name: string | undefined,
  { defaultMode, items }: { defaultMode?: number; items?: KeyToPath[] },
): FieldError[] => [
  ...(name ? [] : [required(`${path}.${nameField}`)]),
  ...modeMistakes(`${path}.defaultMode`, defaultMode),
  ...flat(items, (item, i) => itemMistakes(`${path}.items[${i}]`, item)),
];

const itemMistakes = (path: string, { key, path: file = "", mode }: KeyToPath): FieldError[] => [
  ...(key ? [] : [required(`${path}.key`)]),
  ...(file ? [] : [required(`${path}.path`)]),
  ...fileNameMistakes(`${path}.path`, file),
  ...modeMistakes(`${path}.mode`, mode),
];

/** Names that begin with ".." are the node's own. */
function fileNameMistakes(path: string, file: string): FieldError[] {
  const mistakes = isRelative(path, file);
  if (file.startsWith("..") && !file.startsWith("../"))
    mistakes.push(invalidValue(path, file, "must not start with '..'"));
  return mistakes;
}

/** Kubernetes names the source here, not the file. */
function fileMistakes(path: string, file: DownwardAPIVolumeFile): FieldError[] {
  const { fieldRef, resourceFieldRef } = file;
  const mistakes = file.path ? fileNameMistakes(`${path}.path`, file.path) : [required(`${path}.path`)];
  mistakes.push(...modeMistakes(`${path}.mode`, file.mode));
  if (fieldRef) {
    mistakes.push(...fieldRefMistakes(`${path}.fieldRef`, fieldRef, ofVolume));
    if (resourceFieldRef)
      mistakes.push(
        invalidValue(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"),
      );
  } else if (resourceFieldRef)
    mistakes.push(...resourceRefMistakes(`${path}.resourceFieldRef`, resourceFieldRef, true));
  else mistakes.push(required(path, "one of fieldRef and resourceFieldRef is required"));
  return mistakes;
}

function projectionMistakes(path: string, sources: readonly VolumeProjection[] | undefined): FieldError[] {
  const files = new Set<string>();
  const once = (file: string | undefined, owner: string): FieldError[] => {
    if (!file) return [];
    if (files.has(file)) return [invalidValue(path, owner, "conflicting duplicate paths")];
    files.add(file);
    return [];
  };
  return flat(sources, ({ secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle }, i) => {
    const at = `${path}.sources[${i}]`;
    const mistakes: FieldError[] = [];
    for (const [kind, source] of Object.entries({ secret, configMap })) {
      if (!source) continue;
      mistakes.push(...keysMistakes(`${at}.${kind}`, "name", source.name, { items: source.items }));
      for (const item of source.items ?? []) mistakes.push(...once(item.path, source.name ?? ""));
    }
    for (const file of downwardAPI?.items ?? [])
      mistakes.push(...fileMistakes(`${at}.downwardAPI`, file), ...once(file.path, file.path));
    if (serviceAccountToken) {
      const { expirationSeconds = 0, path: file } = serviceAccountToken;
      const expiration = `${at}.serviceAccountToken.expirationSeconds`;
      if (expirationSeconds < tenMinutes)
        mistakes.push(invalidValue(expiration, expirationSeconds, "may not specify a duration less than 10 minutes"));
      if (expirationSeconds > 2 ** 32)
        mistakes.push(
          invalidValue(expiration, expirationSeconds, "may not specify a duration larger than 2^32 seconds"),
        );
      mistakes.push(...(file ? fileNameMistakes(`${path}.path`, file) : [required(`${path}.path`)]));
    }
    const count = [secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle].filter(Boolean).length;
    if (count > 1) mistakes.push(forbiddenField(at, "may not specify more than 1 volume type per source"));
    return mistakes;
  });
}
