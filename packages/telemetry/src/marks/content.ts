/**
 * What of an object its owner decides: neither what controllers say of it (status) nor what the API keeps about it. Secret values
 * are hashes here, so that a change of them is seen and they are not. Pure.
 */
import { createHmac } from "node:crypto";
import { controllerOf, type KubeObject, type Resource, resourceName } from "@flotilla/objects";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Begins what stands for a value that must not be seen, followed by a hash. */
export const secretMark = "\0secret ";
/** Begins what stands for a long value: its first characters, and a hash. */
export const longMark = "\0long ";
const longestKept = 8192;
const shownOfLong = 80;

/** Bookkeeping of tools and controllers: it repeats what stands elsewhere, or counts. */
const noisyAnnotations =
  /^(?:kubectl\.kubernetes\.io\/last-applied-configuration|deployment\.kubernetes\.io\/|flotilla\.dev\/(?:sync|yielded)|pv\.kubernetes\.io\/|control-plane\.alpha\.kubernetes\.io\/|endpoints\.kubernetes\.io\/)/;

/** Of `fieldsV1`, the fields that somebody wrote: nothing but such bookkeeping. */
export function isBookkeeping(fields: unknown): boolean {
  const keysOf = (value: unknown) => Object.keys((value ?? {}) as object);
  const metadata = (fields as Record<string, unknown> | undefined)?.["f:metadata"];
  const annotations = keysOf((metadata as Record<string, unknown> | undefined)?.["f:annotations"]);
  return (
    annotations.length > 0 &&
    keysOf(fields).length === 1 &&
    keysOf(metadata).length === 1 &&
    annotations.every((name) => name === "." || noisyAnnotations.test(name.slice("f:".length)))
  );
}

/** Names of fields, variables and keys whose texts are not for everybody's eyes. */
const secretName = /passw|secret|token|credential|api[-_]?key|private[-_]?key|access[-_]?key/i;
/** They say where a secret is, not what it is. */
const reference = /(?:Name|Ref|Path|File|_FILE|_PATH|Policy|Class)$/;
/** The password of a URL. */
const userinfo = /(:\/\/[^/@:\s]*:)([^@/\s]+)@/g;

/** Kinds that are records of controllers, or of what happens; every change of them would be a mark of something else. */
const recordKinds = new Set([
  "events",
  "events.events.k8s.io",
  "endpoints",
  "endpointslices.discovery.k8s.io",
  "leases.coordination.k8s.io",
  "controllerrevisions.apps",
  "podmetrics.metrics.k8s.io",
  "pods.metrics.k8s.io",
]);

/** Whose changes are marks, as a kind: what lives in a namespace, can be watched, and is no record. */
export const isMarkedKind = (resource: Resource): boolean =>
  resource.namespaced &&
  !recordKinds.has(resourceName(resource)) &&
  (resource.verbs === undefined || (resource.verbs.includes("watch") && resource.verbs.includes("list")));

/** Namespaces of the cluster itself. */
export const isSystemNamespace = (namespace: string | undefined): boolean =>
  namespace === undefined || namespace.startsWith("kube-") || namespace === "flotilla-system";

/** What every namespace is given by the cluster, and the one Service that leads to its API. */
const givenByCluster = new Set(["ConfigMap kube-root-ca.crt", "ServiceAccount default", "Service kubernetes"]);

/** What a controller made of another object follows from that one; what an App became is what the App says. */
export function isMarked(object: KubeObject): boolean {
  const { namespace, name } = object.metadata;
  if (isSystemNamespace(namespace) || givenByCluster.has(`${object.kind} ${name}`)) return false;
  const owner = controllerOf(object);
  return owner === undefined || owner.kind === "App";
}

/** `key`: of the hashes; whoever does not know it cannot find a secret by trying. */
export function contentOf(object: KubeObject, key: Uint8Array): { readonly [key: string]: Json } {
  const { apiVersion: _, kind, metadata, status, ...rest } = object as KubeObject & Record<string, unknown>;
  const { labels = {}, annotations = {} } = metadata;
  const kept = Object.entries(annotations).filter(([name]) => !noisyAnnotations.test(name));
  const hash = (text: string) => createHmac("sha256", key).update(text).digest("hex").slice(0, 12);
  const reduced = new Reducer(hash, kind === "Secret");
  return {
    ...(reduced.value("", rest) as { [key: string]: Json }),
    ...(kind === "App" && versionsOf(status)),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(kept.length > 0 && { annotations: reduced.value("annotations", Object.fromEntries(kept)) }),
  };
}

/** Of an App's status, which versions run: the one thing there that is a change and stands nowhere else. */
function versionsOf(status: unknown): { versions?: Json } {
  const services = (status as { services?: Record<string, { version?: unknown }> } | undefined)?.services ?? {};
  const versions = Object.entries(services).flatMap(([name, { version }]) =>
    typeof version === "string" ? [[name, version] as const] : [],
  );
  return versions.length > 0 ? { versions: Object.fromEntries(versions) } : {};
}

class Reducer {
  readonly #hash: (text: string) => string;
  readonly #isSecret: boolean;

  constructor(hash: (text: string) => string, isSecret: boolean) {
    this.#hash = hash;
    this.#isSecret = isSecret;
  }

  value(name: string, value: unknown, hidden = false): Json {
    if (typeof value === "string") return this.#text(name, value, hidden);
    if (value === null || value === undefined) return null;
    if (Array.isArray(value)) return value.map((item) => this.value("", item, hidden));
    if (typeof value !== "object") return value as boolean | number;
    const entries = Object.entries(value).filter(([, each]) => each !== undefined);
    // A variable's name is beside its value.
    const variable = (value as { name?: unknown }).name;
    return Object.fromEntries(
      entries.map(([key, each]) => {
        const named = key === "value" && typeof variable === "string" ? variable : key;
        return [key, this.value(named, each, hidden || this.#hides(key))];
      }),
    );
  }

  /** All values of a Secret, and whole files that an App inlines. */
  #hides(key: string): boolean {
    return this.#isSecret && (key === "data" || key === "stringData");
  }

  #text(name: string, text: string, hidden: boolean): Json {
    if (hidden || (secretName.test(name) && !reference.test(name))) return `${secretMark}${this.#hash(text)}`;
    const shown = text.includes("://")
      ? text.replace(userinfo, (_, before, word) => `${before}${this.#hash(word)}@`)
      : text;
    return shown.length <= longestKept ? shown : `${longMark}${shown.slice(0, shownOfLong)} ${this.#hash(shown)}`;
  }
}
