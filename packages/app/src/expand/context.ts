/** What every part of the expansion is told, and how objects are named and labelled. */
import { createHash } from "node:crypto";
import type { KubeObject } from "@flotilla/objects";
import { contentHash } from "@flotilla/objects";
import { local, namespaceOf } from "../environment.ts";
import type { Files } from "../files.ts";
import type { App, Environment } from "../model/model.ts";

/** An object that is still written by hand: its type's fields without apiVersion and kind. */
export type Labels = Record<string, string>;

export type Target = "local" | "cluster";

/** What one service runs now. */
export interface Version {
  /** "registry.example/shop-orders@sha256:..." */
  readonly image: string;
  readonly commit?: string;
}

export interface Expansion {
  /** In its environment: overlay applied. */
  readonly app: App;
  readonly environment: string | undefined;
  readonly settings: Environment;
  readonly namespace: string;
  readonly versions: Readonly<Record<string, Version>>;
  readonly files: Files;
  readonly target: Target;
}

export interface ExpandOptions {
  /** A key of `environments`, or "local". Default: "local" for the local target, else none. */
  readonly environment?: string;
  /** By service or job; what is missing gets a reference that ends with ":dev". */
  readonly versions?: Readonly<Record<string, Version>>;
  readonly files: Files;
  readonly target: Target;
  /** Default: the environment's. */
  readonly namespace?: string;
}

export function expansionOf(app: App, inEnvironment: App, options: ExpandOptions): Expansion {
  const environment = options.environment ?? (options.target === "local" ? local : undefined);
  return {
    app: inEnvironment,
    environment,
    settings: (environment === undefined ? undefined : app.environments?.[environment]) ?? {},
    namespace: options.namespace ?? namespaceOf(app, environment),
    versions: options.versions ?? {},
    files: options.files,
    target: options.target,
  };
}

/** What a set of objects is of: the labels say so. */
export interface Part {
  readonly name: string;
  readonly component: "service" | "job" | "database" | "migration";
  readonly version?: string;
}

const versionLabel = "app.kubernetes.io/version";

/** Labels that select the pods of a part; they never change. */
export const selectorLabels = (app: string, name: string): Labels => ({
  "app.kubernetes.io/name": name,
  "app.kubernetes.io/part-of": app,
});

/** Of everything that a part is made of: no version, so that a new one changes nothing but what runs it. */
export function labelsOf({ app }: Expansion, part: Part): Labels {
  return {
    ...app.labels,
    ...(app.team && { "flotilla.dev/team": app.team }),
    ...selectorLabels(app.name, part.name),
    "app.kubernetes.io/component": part.component,
    "app.kubernetes.io/managed-by": "flotilla",
  };
}

/** Of workloads and their pods. */
export const versionedLabels = (expansion: Expansion, part: Part): Labels => ({
  ...labelsOf(expansion, part),
  ...(part.version && { [versionLabel]: part.version }),
});

export function metadataOf(expansion: Expansion, part: Part, name = part.name): KubeObject["metadata"] {
  const { annotations } = expansion.app;
  return {
    name,
    namespace: expansion.namespace,
    labels: labelsOf(expansion, part),
    ...(annotations && Object.keys(annotations).length > 0 && { annotations }),
  };
}

export const versionedMetadata = (expansion: Expansion, part: Part, name = part.name): KubeObject["metadata"] => ({
  ...metadataOf(expansion, part, name),
  labels: versionedLabels(expansion, part),
});

/** Metadata of a template: what is made from it gets its name later. */
export const templateMetadata = (labels: Labels, more: Partial<KubeObject["metadata"]> = {}): KubeObject["metadata"] =>
  ({ labels, ...more }) as KubeObject["metadata"];

/** The image of a service or job, and a short version for people. */
export function imageOf(
  expansion: Expansion,
  name: string,
  program: { source?: string; image?: string },
): Version & { short: string } {
  if (program.image !== undefined) return { image: program.image, short: shortVersion(program.image) };
  const known = expansion.versions[name];
  if (known) return { ...known, short: known.commit?.slice(0, 12) ?? shortVersion(known.image) };
  const registry = expansion.settings.registry ?? "localhost";
  return { image: `${registry}/${expansion.app.name}-${name}:dev`, short: "dev" };
}

/** The tag of a reference, else the first 12 digits of its digest. */
function shortVersion(reference: string): string {
  const [tagged = "", digest] = reference.split("@sha256:");
  const tag = /:([A-Za-z0-9_][-.A-Za-z0-9_]*)$/.exec(tagged.slice(tagged.lastIndexOf("/") + 1))?.[1];
  const version = (tag ?? digest?.slice(0, 12) ?? "latest").slice(0, 63).replace(/[-._]+$/, "");
  return /^[A-Za-z0-9]/.test(version) ? version : "latest";
}

/** Changes when the content does; fit for names and labels. */
export const hashOf = (value: unknown): string => contentHash(value);

/** Hex SHA-256 of some bytes. */
export const sha256 = (content: Uint8Array | string): string => createHash("sha256").update(content).digest("hex");

/** "order-history" as "ORDER_HISTORY". */
export const variableName = (name: string): string => name.toUpperCase().replace(/[^A-Z0-9]/g, "_");

/** Annotations of produced objects that the App's controller and people read. */
export const annotation = {
  /** On a pod template: the hash of the ConfigMaps and Secrets that it reads, so that a change of them rolls. */
  configuration: "flotilla.dev/configuration",
  /** On a Secret: its keys that are filled once with random values, comma separated. */
  generate: "flotilla.dev/generate",
} as const;
