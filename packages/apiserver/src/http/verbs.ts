/** The verbs of the API on resources, between HTTP and the registry. */
import {
  type FieldError,
  forbiddenField,
  invalid,
  isRecord,
  type KubeObject,
  methodNotAllowed,
  noSuchPath,
  notFound,
  type Resource,
  required,
  StatusError,
} from "@flotilla/objects";
import { negotiate } from "./accept.ts";
import { answer } from "./answer.ts";
import { readObject, readPatch } from "./body.ts";
import { checkedObject } from "./object-check.ts";
import { deleteOptions, flag, listOptions, requestContext, watchOptions } from "./options.ts";
import type { ResourcePath } from "./resource-path.ts";
import type { Exchange, Serving } from "./serving.ts";
import { transformList, transformObject } from "./transform.ts";
import { serveWatch } from "./watch.ts";

/** The verb by which a request is authorized. */
export function verbOf(method: string, path: ResourcePath, query: URLSearchParams): string {
  switch (method) {
    case "GET":
    case "HEAD":
      if (flag(query, "watch") && !path.subresource) return "watch";
      return path.name ? "get" : "list";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return path.name ? "delete" : "deletecollection";
    default:
      return method.toLowerCase();
  }
}

const allVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

interface Request {
  readonly serving: Serving;
  readonly exchange: Exchange;
  readonly resource: Resource;
  readonly path: ResourcePath;
}

const handlers: Readonly<Record<string, (request: Request) => Promise<void>>> = {
  get,
  list,
  watch,
  create,
  update,
  patch,
  delete: remove,
  deletecollection: removeCollection,
};

export function serveVerb(serving: Serving, exchange: Exchange, resource: Resource, path: ResourcePath): Promise<void> {
  const verb = verbOf(exchange.request.method ?? "", path, exchange.query);
  const handler = handlers[verb];
  const served = path.subresource ? resource.subresources.includes(path.subresource) : true;
  if (!served || (resource.namespaced === false && path.namespace !== undefined)) throw notFoundPath(resource, path);
  if (resource.plural === "pods" && path.subresource === "ephemeralcontainers" && verb !== "get")
    throw noDebugContainers();
  const isMissingNamespace = resource.namespaced && !path.namespace && verb !== "list" && verb !== "watch";
  const isAllowed = path.subresource || (resource.verbs ?? allVerbs).includes(verb);
  const isNamedCreate = verb === "create" && path.name !== undefined && !path.subresource;
  if (!handler || !isAllowed || isMissingNamespace || isNamedCreate || (verb === "update" && !path.name))
    throw methodNotAllowed(resource, verb);
  return handler({ serving, exchange, resource, path });
}

/** Without a name in its details, which is how kubectl debug knows that the cluster lacks them, and not the pod. */
const noDebugContainers = (): StatusError =>
  new StatusError({
    ...noSuchPath().status,
    message: "this cluster runs no ephemeral containers; kubectl exec shows the container from inside",
  });

const notFoundPath = (resource: Resource, path: ResourcePath): StatusError =>
  path.subresource
    ? notFound({ group: resource.group, plural: `${resource.plural}/${path.subresource}` }, path.name ?? "")
    : noSuchPath();

async function get({ serving, exchange, resource, path }: Request): Promise<void> {
  const form = negotiate(exchange.request);
  const { namespace, name = "", subresource } = path;
  const resourceVersion = exchange.query.get("resourceVersion") || undefined;
  const object = serving.registry.get(resource, { namespace, name }, { subresource, resourceVersion });
  await answer(exchange, 200, await transformObject(serving, exchange, form, resource, object), form.encoding);
}

async function list({ serving, exchange, resource, path }: Request): Promise<void> {
  const form = negotiate(exchange.request);
  const found = serving.registry.list(resource, listOptions(exchange.query, path.namespace));
  await answer(exchange, 200, await transformList(serving, exchange, form, resource, found), form.encoding);
}

async function watch({ serving, exchange, resource, path }: Request): Promise<void> {
  const form = negotiate(exchange.request);
  const options = watchOptions(exchange.query, path.namespace);
  const byName = path.name ? `metadata.name=${path.name}` : undefined;
  const fieldSelector = [options.fieldSelector, byName].filter(Boolean).join(",") || undefined;
  await serveWatch(serving, exchange, resource, { ...options, fieldSelector }, form);
}

async function create({ serving, exchange, resource, path }: Request): Promise<void> {
  const form = negotiate(exchange.request);
  const context = requestContext(exchange);
  const object = checkedObject(resource, path, await readObject(exchange.request, context));
  const { namespace, name, subresource } = path;
  const created = await serving.registry.create({ resource, namespace, name, subresource }, object, context);
  await answer(exchange, 201, await transformObject(serving, exchange, form, resource, created), form.encoding);
}

async function update({ serving, exchange, resource, path }: Request): Promise<void> {
  const form = negotiate(exchange.request);
  const context = requestContext(exchange);
  const object = checkedObject(resource, path, await readObject(exchange.request, context));
  const { namespace, name = "", subresource } = path;
  const result = await serving.registry.update({ resource, namespace, name, subresource }, object, context);
  await answerWritten(serving, exchange, form, resource, result);
}

async function patch({ serving, exchange, resource, path }: Request): Promise<void> {
  const form = negotiate(exchange.request);
  const context = requestContext(exchange);
  const { type, body } = await readPatch(exchange.request, context, resource.type === undefined);
  if (type !== "apply" && exchange.query.has("force"))
    throw invalidPatchOptions(forbiddenField("force", "may not be specified for non-apply patch"));
  if (type === "apply" && !exchange.query.get("fieldManager"))
    throw invalidPatchOptions(required("fieldManager", "is required for apply patch"));
  if (type === "apply") checkedObject(resource, path, body);
  const { namespace, name = "", subresource } = path;
  const force = type === "apply" ? flag(exchange.query, "force") : undefined;
  const result = await serving.registry.patch(
    { resource, namespace, name, subresource },
    { type, body, force },
    context,
  );
  await answerWritten(serving, exchange, form, resource, result);
}

async function answerWritten(
  serving: Serving,
  exchange: Exchange,
  form: ReturnType<typeof negotiate>,
  resource: Resource,
  { object, created }: { object: KubeObject; created: boolean },
): Promise<void> {
  const value = await transformObject(serving, exchange, form, resource, object);
  await answer(exchange, created ? 201 : 200, value, form.encoding);
}

async function remove({ serving, exchange, resource, path }: Request): Promise<void> {
  const form = negotiate(exchange.request);
  const body = await readObject(exchange.request, { fieldValidation: "Ignore", warn: () => undefined });
  const { dryRun, ...options } = deleteOptions(exchange.query, body);
  const { namespace, name = "", subresource } = path;
  const context = requestContext(exchange, { dryRun });
  const { object, gone } = await serving.registry.delete({ resource, namespace, name, subresource }, options, context);
  const value = gone ? removed(resource, object) : await transformObject(serving, exchange, form, resource, object);
  await answer(exchange, 200, value, form.encoding);
}

async function removeCollection({ serving, exchange, resource, path }: Request): Promise<void> {
  const form = negotiate(exchange.request);
  const body = await readObject(exchange.request, { fieldValidation: "Ignore", warn: () => undefined });
  const { dryRun, ...options } = deleteOptions(
    exchange.query,
    isRecord(body) && body.kind === "ListOptions" ? undefined : body,
  );
  const selection = listOptions(exchange.query, path.namespace);
  const context = requestContext(exchange, { dryRun });
  const deleted = await serving.registry.deleteCollection(resource, selection, options, context);
  await answer(exchange, 200, await transformList(serving, exchange, form, resource, deleted), form.encoding);
}

const removed = (resource: Resource, { metadata }: KubeObject): object => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Success",
  details: {
    name: metadata.name,
    ...(resource.group && { group: resource.group }),
    kind: resource.plural,
    uid: metadata.uid,
  },
});

const invalidPatchOptions = (mistake: FieldError): StatusError =>
  invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, "", [mistake]);
