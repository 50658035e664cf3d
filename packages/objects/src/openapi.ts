/**
 * The OpenAPI v3 document of one group and version, as far as kubectl's explain, apply and --validate (and client generators)
 * look into it: schemas, and for each path its action, kind and query parameters.
 */
import { resources as everyResource, parseApiVersion, typeIn } from "./lookup.ts";
import { type JsonSchema, Schemas, schemaRef } from "./openapi-schemas.ts";
import { apiVersionOf, type Resource } from "./resource.ts";
import type { TypeSchema } from "./schema.ts";

/**
 * For the resources of that group and version among those given. What a kind that is not in the table looks like, `schemaOf`
 * knows; without it, such kinds are left out.
 */
export function openApiV3(
  apiVersion: string,
  resources: readonly Resource[],
  schemaOf: (resource: Resource) => JsonSchema | undefined = () => undefined,
): JsonSchema {
  const { group, version } = parseApiVersion(apiVersion);
  const here = resources.filter((resource) => apiVersionOf(resource) === apiVersion);
  const custom = new Map<string, JsonSchema>();
  const mine = here.flatMap((resource) => {
    if (resource.type !== undefined) return [resource];
    const schema = schemaOf(resource);
    if (!schema) return [];
    const type = `${apiVersion}.${resource.kind}`;
    custom.set(type, schema);
    return [{ ...resource, type }];
  });
  const schemas = new Schemas(kindsOf([...resources, ...mine]));
  for (const type of common) schemas.add(type);
  for (const [type, schema] of custom) schemas.addCustom(type, schema);
  const paths: Record<string, JsonSchema> = {};
  for (const resource of mine) {
    const type = resource.type ?? "";
    schemas.add(type);
    if (lists(resource)) schemas.add(`${type}List`, typeIn(`${type}List`) ?? listOf(type));
    for (const subresource of resource.subresources) {
      const kind = subresourceKinds[subresource];
      if (kind) schemas.add(kind);
    }
    const types = custom.has(type) ? customPatches : patches;
    Object.assign(paths, pathsOf(resource, group ? `/apis/${group}/${version}` : `/api/${version}`, types));
  }
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "unversioned" },
    paths,
    components: {
      schemas: schemas.all,
      securitySchemes: { BearerToken: { type: "apiKey", in: "header", name: "authorization" } },
    },
  };
}

const common = ["meta/v1.DeleteOptions", "meta/v1.Status", "meta/v1.WatchEvent", "meta/v1.APIResourceList"];

/** Subresources that speak of another kind than their resource. */
const subresourceKinds: Readonly<Record<string, string>> = {
  scale: "autoscaling/v1.Scale",
  binding: "core/v1.Binding",
  eviction: "policy/v1.Eviction",
  token: "authentication.k8s.io/v1.TokenRequest",
};

const lists = (resource: Resource): boolean => resource.verbs?.includes("list") ?? true;

const listOf = (type: string): TypeSchema => ({
  fields: {
    apiVersion: { type: "string" },
    kind: { type: "string" },
    metadata: { type: { ref: "meta/v1.ListMeta" } },
    items: { type: { list: { ref: type } }, required: true, always: true },
  },
});

function kindOfType(type: string): JsonSchema {
  const dot = type.lastIndexOf(".");
  const { group, version } = parseApiVersion(type.slice(0, dot));
  return { group: group === "core" || group === "meta" ? "" : group, version, kind: type.slice(dot + 1) };
}

/** Every kind with its group and version; those of meta/v1 belong to all of them. */
function kindsOf(resources: readonly Resource[]): Map<string, JsonSchema[]> {
  const kinds = new Map<string, JsonSchema[]>();
  const types = [...resources, ...everyResource].flatMap(({ type }) => (type === undefined ? [] : [type]));
  for (const type of [...types, ...Object.values(subresourceKinds), "meta/v1.Status", "meta/v1.APIResourceList"]) {
    kinds.set(type, [kindOfType(type)]);
    kinds.set(`${type}List`, [kindOfType(`${type}List`)]);
  }
  const versions = [...new Set(resources.map(apiVersionOf))].sort().map(parseApiVersion);
  for (const kind of ["DeleteOptions", "WatchEvent"]) {
    kinds.set(
      `meta/v1.${kind}`,
      versions.map(({ group, version }) => ({ group, version, kind })),
    );
  }
  return kinds;
}

const query = (name: string, type: string): JsonSchema => ({ in: "query", name, schema: { type, uniqueItems: true } });
const inPath = (name: string): JsonSchema => ({
  in: "path",
  name,
  required: true,
  schema: { type: "string", uniqueItems: true },
});

const writing = [query("dryRun", "string"), query("fieldManager", "string"), query("fieldValidation", "string")];
const deleting = [
  query("dryRun", "string"),
  query("gracePeriodSeconds", "integer"),
  query("orphanDependents", "boolean"),
  query("propagationPolicy", "string"),
];
const listing = [
  query("allowWatchBookmarks", "boolean"),
  query("continue", "string"),
  query("fieldSelector", "string"),
  query("labelSelector", "string"),
  query("limit", "integer"),
  query("resourceVersion", "string"),
  query("resourceVersionMatch", "string"),
  query("sendInitialEvents", "boolean"),
  query("timeoutSeconds", "integer"),
  query("watch", "boolean"),
];
/** What every kind takes; only kinds of the table know how to merge strategically. */
const customPatches = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"];
const patches = [...customPatches, "application/strategic-merge-patch+json"];

interface Operation {
  readonly action: string;
  /** A type of the table. */
  readonly kind: string;
  readonly answer?: string;
  readonly parameters?: readonly JsonSchema[];
  readonly body?: JsonSchema;
}

const content = (types: readonly string[], schema: JsonSchema): JsonSchema => ({
  content: Object.fromEntries(types.map((type) => [type, { schema }])),
});

function operation({ action, kind, answer, parameters, body }: Operation): JsonSchema {
  const schema = answer === undefined ? { type: "string" } : schemaRef(answer);
  return {
    ...(parameters ? { parameters } : {}),
    ...(body ? { requestBody: body } : {}),
    responses: {
      200: { description: "OK", ...content(["application/json"], schema) },
      401: { description: "Unauthorized" },
    },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": kindOfType(kind),
  };
}

const json = (type: string): JsonSchema => content(["application/json"], schemaRef(type));
const reading = (kind: string): JsonSchema => operation({ action: "get", kind, answer: kind });
const replacing = (kind: string): JsonSchema =>
  operation({ action: "put", kind, answer: kind, parameters: writing, body: json(kind) });
const creating = (kind: string): JsonSchema =>
  operation({ action: "post", kind, answer: kind, parameters: writing, body: json(kind) });
const patching = (kind: string, types: readonly string[]): JsonSchema =>
  operation({
    action: "patch",
    kind,
    answer: kind,
    parameters: [...writing, query("force", "boolean")],
    body: content(types, { type: "object" }),
  });

function pathsOf(resource: Resource, root: string, types: readonly string[]): Record<string, JsonSchema> {
  const kind = resource.type ?? "";
  const can = (verb: string): boolean => resource.verbs?.includes(verb) ?? true;
  const space = resource.namespaced ? [inPath("namespace")] : [];
  const collection = `${root}${resource.namespaced ? "/namespaces/{namespace}" : ""}/${resource.plural}`;
  const list = operation({ action: "list", kind, answer: `${kind}List`, parameters: listing });
  const removing = (action: string, more: readonly JsonSchema[]): JsonSchema =>
    operation({
      action,
      kind,
      answer: "meta/v1.Status",
      parameters: [...more, ...deleting],
      body: json(common[0] ?? ""),
    });

  const paths: Record<string, JsonSchema> = {};
  const put = (path: string, parameters: readonly JsonSchema[], operations: JsonSchema): void => {
    if (Object.keys(operations).length === 0) return;
    paths[path] = { ...operations, parameters: [...parameters, query("pretty", "string")] };
  };
  put(collection, space, {
    ...(can("list") ? { get: list } : {}),
    ...(can("create") ? { post: creating(kind) } : {}),
    ...(can("deletecollection") ? { delete: removing("deletecollection", listing) } : {}),
  });
  if (resource.namespaced && can("list")) put(`${root}/${resource.plural}`, [], { get: list });
  const item = `${collection}/{name}`;
  const names = [...space, inPath("name")];
  put(item, names, {
    ...(can("get") ? { get: reading(kind) } : {}),
    ...(can("update") ? { put: replacing(kind) } : {}),
    ...(can("patch") ? { patch: patching(kind, types) } : {}),
    ...(can("delete") ? { delete: removing("delete", []) } : {}),
  });
  for (const name of resource.subresources) put(`${item}/${name}`, names, subresource(name, kind, types));
  return paths;
}

/** What can be done with a subresource. */
function subresource(name: string, kind: string, types: readonly string[]): JsonSchema {
  const connect = operation({ action: "connect", kind });
  switch (name) {
    case "log":
      return { get: operation({ action: "get", kind }) };
    case "exec":
    case "attach":
    case "portforward":
      return { get: connect, post: connect };
    case "proxy":
      return { get: connect, post: connect, put: connect, patch: connect, delete: connect };
    case "binding":
    case "eviction":
    case "token":
      return { post: creating(subresourceKinds[name] ?? kind) };
    case "finalize":
      return { put: replacing(kind) };
    default: {
      const spoken = subresourceKinds[name] ?? kind;
      return { get: reading(spoken), put: replacing(spoken), patch: patching(spoken, types) };
    }
  }
}
