/** `objects`: plain manifests of the app's folder, as they are but for namespace and labels. */
import { type KubeObject, kindOf } from "@flotilla/objects";
import { asText, type Files } from "../files.ts";
import { yaml } from "../yaml.ts";
import { type Expansion, labelsOf } from "./context.ts";

export interface Manifest {
  /** "k8s/redis.yaml". */
  readonly file: string;
  /** Counted from 0 within the file. */
  readonly index: number;
  /** What was read; an object only after it is checked. */
  readonly value: unknown;
}

export interface ReadManifests {
  readonly manifests: Manifest[];
  readonly mistakes: { readonly file: string; readonly message: string; readonly remedy: string }[];
}

const isManifest = (name: string) => /\.(ya?ml|json)$/.test(name);

/** The manifest files at a path, folders included, in order. Undefined: there is nothing. */
export function manifestFiles(files: Files, path: string): string[] | undefined {
  const clean = path.replace(/\/+$/, "");
  const names = files.list(clean);
  if (!names) return files.read(clean) ? [clean] : undefined;
  return names.flatMap((name) => {
    if (name.endsWith("/")) return manifestFiles(files, `${clean}/${name.slice(0, -1)}`) ?? [];
    return isManifest(name) ? [`${clean}/${name}`] : [];
  });
}

export function readManifests(files: Files, paths: readonly string[]): ReadManifests {
  const manifests: Manifest[] = [];
  const mistakes: ReadManifests["mistakes"] = [];
  for (const file of paths.flatMap((path) => manifestFiles(files, path) ?? [])) {
    const text = asText(files.read(file) ?? new Uint8Array());
    if (text === undefined) {
      mistakes.push({ file, message: "is not UTF-8", remedy: "save it as UTF-8" });
      continue;
    }
    for (const document of yaml().parseAllDocuments(text)) {
      if (!("errors" in document)) continue;
      const [error] = document.errors;
      if (error)
        mistakes.push({
          file,
          message: error.message.split("\n")[0]?.replace(/:$/, "") ?? "",
          remedy: "correct the YAML",
        });
      const value: unknown = error ? null : document.toJS();
      if (value === null || value === undefined) continue;
      for (const item of itemsOf(value)) manifests.push({ file, index: manifests.length, value: item });
    }
  }
  return { manifests, mistakes };
}

/** A List stands for its items. */
function itemsOf(value: unknown): unknown[] {
  const list = value as { kind?: unknown; items?: unknown };
  return list.kind === "List" && Array.isArray(list.items) ? list.items : [value];
}

export const isObject = (value: unknown): value is KubeObject => {
  const object = value as { apiVersion?: unknown; kind?: unknown; metadata?: { name?: unknown } } | null;
  return (
    typeof object === "object" &&
    typeof object?.apiVersion === "string" &&
    typeof object.kind === "string" &&
    typeof object.metadata?.name === "string"
  );
};

/** In the app's namespace unless they name another; with the labels by which the app's objects are found. */
export function placed(expansion: Expansion, object: KubeObject): KubeObject {
  const namespaced = kindOf(object.apiVersion, object.kind)?.namespaced ?? true;
  const {
    "app.kubernetes.io/component": _,
    "app.kubernetes.io/name": __,
    ...labels
  } = labelsOf(expansion, {
    name: object.metadata.name,
    component: "service",
  });
  return {
    ...object,
    metadata: {
      ...object.metadata,
      ...(namespaced && { namespace: object.metadata.namespace ?? expansion.namespace }),
      labels: { ...labels, ...object.metadata.labels },
    },
  };
}
