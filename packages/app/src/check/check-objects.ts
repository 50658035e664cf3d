/** The produced objects against their kinds: what patches and manifests made of them, and that no two are the same. */
import {
  apiVersionOf,
  kindOf,
  objectiveMistakes,
  type Resource,
  resources,
  type ServiceLevelObjective,
  ServiceLevelObjectives,
  validateShape,
} from "@flotilla/objects";
import { isOpenSlo } from "@flotilla/telemetry/objectives";
import { isObject, readManifests } from "../expand/manifests.ts";
import { isObjective } from "../expand/objectives.ts";
import type { Plan } from "../expand/plan.ts";
import type { Files } from "../files.ts";
import type { App } from "../model/model.ts";
import { queryMistakes } from "./check-telemetry.ts";
import type { Mistake } from "./mistake.ts";
import { suggestion } from "./nearest.ts";

/** Manifests that are no objects, or of kinds that nobody knows. */
export function checkManifests(app: App, files: Files): Mistake[] {
  const { manifests } = readManifests(files, app.objects ?? []);
  const defined = new Set(manifests.flatMap(({ value }) => kindsDefined(value)));
  return manifests.flatMap(({ file, value }): Mistake[] => {
    const path = `objects (${file})`;
    if (!isObject(value))
      return [{ path, message: "is no object of Kubernetes", remedy: "state apiVersion, kind and metadata.name" }];
    const { apiVersion, kind } = value;
    // What it says is read with the rest of the objectives.
    if (isOpenSlo(value)) return [];
    if (isObjective(value)) return objectiveWrongs(value, path);
    if (kindOf(apiVersion, kind) || defined.has(`${apiVersion} ${kind}`)) return [];
    const known = resources.map((resource) => `${resource.kind} of ${apiVersionOf(resource)}`);
    const remedy = suggestion(`${kind} of ${apiVersion}`, known, "").startsWith("did you")
      ? suggestion(`${kind} of ${apiVersion}`, known, "")
      : "add its CustomResourceDefinition to objects";
    return [{ path, message: `no kind ${kind} in ${apiVersion}`, remedy }];
  });
}

/** Objectives become rules, which nobody would check again. */
function objectiveWrongs(object: ServiceLevelObjective, path: string): Mistake[] {
  const { unknown, wrongType } = validateShape(ServiceLevelObjectives as Resource, object);
  const name = `ServiceLevelObjective ${object.metadata.name}`;
  const remedy = "see kubectl explain slo";
  if (unknown.length + wrongType.length > 0)
    return [
      ...unknown.map((field) => ({ path, message: `${name} has no field ${field}`, remedy })),
      ...wrongType.map((message) => ({ path, message: `${name}: ${message}`, remedy })),
    ];
  return [
    ...objectiveMistakes(object.spec).map(({ field, message }) => ({
      path,
      message: `${name}: ${field}: ${message}`,
      remedy,
    })),
    ...queryMistakes(object.spec.indicator).map(([field, message]) => ({
      path,
      message: `${name}: spec.indicator.${field}: ${message}`,
      remedy: "correct the query",
    })),
  ];
}

/** The kinds that a CustomResourceDefinition brings. */
function kindsDefined(value: unknown): string[] {
  const definition = value as {
    kind?: string;
    spec?: { group?: string; names?: { kind?: string }; versions?: { name?: string }[] };
  };
  if (definition?.kind !== "CustomResourceDefinition") return [];
  const { group, names, versions } = definition.spec ?? {};
  return (versions ?? []).map((version) => `${group}/${version.name} ${names?.kind}`);
}

export function checkObjects({ steps, mistakes, patchedBy, expansion }: Plan): Mistake[] {
  const found: Mistake[] = [...mistakes];
  const seen = new Map<string, string>();
  for (const { object, file, part } of steps) {
    const name = `${object.kind} ${object.metadata.name}`;
    const path = patchedBy.get(object) ?? (file ? `objects (${file})` : place(part, expansion.app));
    const key = `${object.apiVersion} ${object.metadata.namespace ?? ""} ${name}`;
    const other = seen.get(key);
    if (other !== undefined)
      found.push({ path, message: `makes a second ${name}, after ${other}`, remedy: "rename one of them" });
    seen.set(key, path);
    const resource = kindOf(object.apiVersion, object.kind);
    if (!resource) continue;
    const { unknown, wrongType } = validateShape(resource, object);
    for (const field of unknown)
      found.push({
        path,
        message: `${name} has no field ${field}`,
        remedy: `see kubectl explain ${resource.singular}`,
      });
    for (const message of wrongType)
      found.push({ path, message: `${name}: ${message}`, remedy: `see kubectl explain ${resource.singular}` });
  }
  return found;
}

/** Where in the model a part stands. */
function place(part: string | undefined, app: App): string {
  if (part === undefined) return "";
  if (app.services[part]) return `services.${part}`;
  if (app.jobs?.[part]) return `jobs.${part}`;
  return `backing.${part.replace(/-(postgres|migrate)$/, "")}`;
}
