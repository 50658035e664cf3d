/** Finds resources and types by name. A type's facts are parsed when first asked for: starting a command does not pay for the table. */
import { flotillaResources, flotillaTypes } from "./flotilla-kinds.ts";
import { generatedResources } from "./generated/resources.ts";
import { tableText } from "./generated/table.js";
import { apiVersionOf, type KubeObject, type Resource } from "./resource.ts";
import type { FieldSchema, TypeRef, TypeSchema, TypeTable } from "./schema.ts";

/** Every resource of the table, Kubernetes' own and Flotilla's. */
export const resources: readonly Resource[] = [...generatedResources, ...flotillaResources];

/** Types parsed so far. */
const types = new Map<string, TypeSchema>(Object.entries(flotillaTypes));
/** Where each generated type's text is; the generator writes one line a type. */
let lines: Map<string, string> | undefined;

function linesOfTable(): Map<string, string> {
  if (lines) return lines;
  lines = new Map();
  for (const line of tableText.split("\n")) {
    const end = line.indexOf('":', 1);
    if (end > 0) lines.set(line.slice(1, end), line.slice(end + 2));
  }
  return lines;
}

/** The type of that name, if there is one. */
export const typeIn = (name: string): TypeSchema | undefined => {
  let type = types.get(name);
  if (type) return type;
  const text = linesOfTable().get(name);
  if (text === undefined) return undefined;
  type = JSON.parse(text.endsWith(",") ? text.slice(0, -1) : text) as TypeSchema;
  types.set(name, type);
  return type;
};

/** The type of that name: "apps/v1.Deployment", "core/v1.PodSpec", "meta/v1.ObjectMeta". Asking for one that is not there is a bug and throws. */
export function typeNamed(name: string): TypeSchema {
  const found = typeIn(name);
  if (!found) throw new Error(`no type ${name} in the table of kinds`);
  return found;
}

/** All types by name. Parses what has not been asked for yet. */
export function typeTable(): TypeTable {
  if (whole) return whole;
  for (const name of linesOfTable().keys()) typeNamed(name);
  whole = Object.fromEntries(types);
  return whole;
}

let whole: TypeTable | undefined;

/** What objects of the resource look like; undefined for a kind known only by a CustomResourceDefinition without a schema. */
export function typeOf(resource: Resource): TypeSchema | undefined {
  return resource.schema ?? (resource.type === undefined ? undefined : typeNamed(resource.type));
}

const byKind = new Map<string, Resource>();
const byPlural = new Map<string, Resource>();
for (const resource of resources) {
  byKind.set(`${apiVersionOf(resource)} ${resource.kind}`, resource);
  byPlural.set(`${apiVersionOf(resource)} ${resource.plural}`, resource);
}

/** The resource whose objects say this apiVersion and kind. */
export const kindOf = (apiVersion: string, kind: string): Resource | undefined => byKind.get(`${apiVersion} ${kind}`);

/** The resource at a place in the API, such as ("apps", "v1", "deployments"). */
export const resourceOf = (group: string, version: string, plural: string): Resource | undefined =>
  byPlural.get(`${apiVersionOf({ group, version })} ${plural}`);

/** "apps/v1" as {group: "apps", version: "v1"}; "v1" as the core group's. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf("/");
  return slash < 0
    ? { group: "", version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/**
 * The field at a path of field names; list items and map values are entered without a step of their own for lists (as in
 * `kubectl explain pod.spec.containers.image`), with their key for maps. Undefined when there is none.
 */
export function fieldAt(resource: Resource, path: readonly string[]): FieldSchema | undefined {
  let fields = typeOf(resource)?.fields;
  let map: TypeRef | undefined;
  let field: FieldSchema | undefined;
  for (const step of path) {
    if (map !== undefined) field = { type: map };
    else field = fields && Object.hasOwn(fields, step) ? fields[step] : undefined;
    if (!field) return undefined;
    const type = itemOf(field.type);
    map = typeof type === "object" && "map" in type ? type.map : undefined;
    fields = typeof type === "object" && "ref" in type ? typeNamed(type.ref).fields : undefined;
  }
  return field;
}

const itemOf = (type: TypeRef): TypeRef => (typeof type === "object" && "list" in type ? itemOf(type.list) : type);

/** An object of the resource: what is given, with apiVersion and kind filled in. */
export function newObject<T extends KubeObject>(resource: Resource<T>, fields: Omit<T, "apiVersion" | "kind">): T {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...fields } as T;
}
