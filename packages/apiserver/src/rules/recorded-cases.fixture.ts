/**
 * The cases that a real API server's verdicts are recorded for, in testdata: per kind one object, and what to set in it, by path.
 * A path's steps are separated by dots, list items are numbered, null takes away. A case of an update sets it in what was created.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { KubeObject } from "@flotilla/objects";
import { parseAllDocuments } from "yaml";

export interface RecordedCase {
  readonly name: string;
  readonly create: KubeObject;
  /** What is set in the created object; undefined: the creation itself is the case. */
  readonly update?: Changes;
}

/** What became of it. */
export interface Verdict {
  readonly object?: unknown;
  readonly code?: number;
  readonly causes?: readonly Cause[];
  /** Where no cause says it. */
  readonly message?: string;
  readonly warnings?: readonly string[];
}

interface Cause {
  readonly field?: string;
  readonly reason?: string;
  readonly message?: string;
}

export type Changes = Readonly<Record<string, unknown>>;

export const testdata = join(import.meta.dirname, "testdata");

export function recordedCases(): RecordedCase[] {
  const cases: RecordedCase[] = [];
  for (const file of readdirSync(testdata).sort()) {
    if (!file.endsWith(".yaml")) continue;
    const documents = [...parseAllDocuments(readFileSync(join(testdata, file), "utf8"))];
    for (const [place, document] of documents.entries()) {
      if (document.errors[0]) throw document.errors[0];
      const { base, creates, updates } = document.toJS({ maxAliasCount: -1 }) as {
        base: KubeObject;
        creates?: Record<string, Changes>;
        updates?: Record<string, Changes>;
      };
      const kind = `${base.kind} ${base.apiVersion}`;
      for (const [name, changes] of Object.entries(creates ?? {}))
        cases.push({ name: `${kind}: ${name}`, create: changed(base, changes) });
      for (const [index, [name, update]] of Object.entries(updates ?? {}).entries()) {
        // Each has an object of its own: what is deleted may take a while.
        const create = changed(base, {
          "metadata.name": `${base.metadata.name}-${place}-${index}`,
        });
        cases.push({ name: `${kind}: update: ${index + 1}: ${name}`, create, update });
      }
    }
  }
  return cases;
}

type Json = Record<string, unknown>;

export function changed<T>(object: T, changes: Changes): T {
  const copy = structuredClone(object);
  for (const [path, value] of Object.entries(changes)) {
    const steps = path.split(".");
    const last = steps.pop() ?? "";
    let parent = copy as Json;
    for (const step of steps) {
      parent[step] ??= {};
      parent = parent[step] as Json;
    }
    if (value === null) delete parent[last];
    else parent[last] = structuredClone(value);
  }
  return copy;
}

/** Without what differs from one server, or one second, to another. */
export function comparable(object: KubeObject): unknown {
  const { uid } = object.metadata;
  const text = uid ? JSON.stringify(object).replaceAll(uid, "<uid>") : JSON.stringify(object);
  const copy = JSON.parse(text) as Json & { metadata: { finalizers?: string[] } };
  // Controllers take them away again, which run on a cluster only.
  const finalizers = copy.metadata.finalizers?.filter((each) => !/^kubernetes.io\/pvc?-protection$/.test(each));
  if (finalizers?.length) copy.metadata.finalizers = finalizers;
  else delete copy.metadata.finalizers;
  if (copy.kind === "CustomResourceDefinition") delete copy.status;
  return withoutVolatile(copy);
}

const volatile = new Set([
  "creationTimestamp",
  "healthCheckNodePort",
  "lastPhaseTransitionTime",
  "lastProbeTime",
  "lastTransitionTime",
  "managedFields",
  "nodePort",
  "resourceVersion",
  "username",
]);

function withoutVolatile(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutVolatile);
  if (typeof value !== "object" || value === null) return value;
  const kept: Json = {};
  for (const [name, member] of Object.entries(value)) {
    if (volatile.has(name) || member === null || (member === "<uid>" && name === "uid")) continue;
    if (name === "clusterIP" && member !== "None") continue;
    if (name === "clusterIPs" && (member as string[])[0] !== "None") continue;
    kept[name] = withoutVolatile(member);
  }
  return kept;
}

/** The status of an object that exists is its controllers' to change. */
export function withoutStatus(object: KubeObject): KubeObject {
  const { status: _, ...rest } = object as KubeObject & { status?: unknown };
  return rest;
}

export function verdictOf(
  answer: { object: KubeObject } | { code: number; message?: string; causes?: readonly Cause[] },
  warnings: readonly string[],
): Verdict {
  const said = warnings.length > 0 ? { warnings } : {};
  if ("object" in answer) return { object: comparable(answer.object), ...said };
  const { code, message, causes } = answer;
  // Of what is refused, some warnings come earlier than others.
  if (!causes?.length) return { code, message };
  const sorted = causes
    .map(({ field = "", reason = "", message: text = "" }) => ({ field, reason, message: essence(text) }))
    .sort((a, b) => (a.field + a.message < b.field + b.message ? -1 : 1));
  return { code, causes: sorted };
}

/** Without what Go shows of its own structs: values as they are in memory, and after the first line how they differ. */
const essence = (message: string): string =>
  (message.split("\n")[0] ?? "")
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uid>")
    .replace(/value: ([{[]).*[}\]]/, (_, bracket: string) => `value: ${bracket}...`);
