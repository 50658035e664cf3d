/** The API over HTTP. */
import { apiVersionOf, type KubeObject, type Resource, type Status, statusErrorFrom } from "@flotilla/objects";
import type {
  Api,
  ListOptions,
  NamespacedName,
  ObjectList,
  PatchType,
  WatchEvent,
  WatchOptions,
  Write,
} from "./api.ts";
import { apiPath, listParameters, watchParameters, withQuery, writeParameters } from "./api-path.ts";
import { discoverResources } from "./discovery.ts";
import { type ConnectionOptions, connect, type Request } from "./http-connection.ts";
import { jsonLines } from "./json-lines.ts";
import { ApiUnreachableError } from "./unreachable.ts";

export interface HttpApi extends Api {
  /** Any path of the API, such as a pod's log. Rejects as all methods do. */
  readonly request: Request;
  /** What the API serves, by discovery: the preferred version of each kind first. */
  resources(): Promise<Resource[]>;
  /** Closes idle connections; requests under way go on. */
  close(): void;
}

const patchTypes: Readonly<Record<PatchType, string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  // YAML, of which JSON is a part.
  apply: "application/apply-patch+yaml",
};

/** Opens no connection before the first request. Where there is no answer, methods reject with an ApiUnreachableError. */
export function httpApi(options: ConnectionOptions): HttpApi {
  const { request, close } = connect(options);
  const json = async (...[path, init]: Parameters<Request>): Promise<unknown> =>
    JSON.parse(await (await request(path, init)).text());

  return {
    request,
    close,
    resources: () => discoverResources(request),

    async get<T extends KubeObject>(resource: Resource<T>, key: NamespacedName) {
      return (await json(apiPath(resource, key))) as T;
    },

    async list<T extends KubeObject>(resource: Resource<T>, listing: ListOptions = {}) {
      const path = apiPath(resource, { namespace: listing.namespace });
      const list = (await json(withQuery(path, listParameters(listing)))) as ObjectList<T>;
      return { ...list, items: (list.items ?? []).map((item) => named(item, resource)) };
    },

    watch<T extends KubeObject>(resource: Resource<T>, watching: WatchOptions = {}) {
      return follow<T>(request, resource, watching, options.server);
    },

    async write<T extends KubeObject>(write: Write<T>) {
      const answer = (await send(json, write as Write)) as T | Status;
      return write.verb === "delete" && answer.kind === "Status" ? deleted(write, answer as Status) : (answer as T);
    },
  };
}

/** Items of a list do not say their kind. */
const named = <T extends KubeObject>(item: T, resource: Resource): T =>
  item.kind ? item : { ...item, apiVersion: apiVersionOf(resource), kind: resource.kind };

/** The API answers with a Status where an object is gone at once. */
const deleted = <T extends KubeObject>(write: Write<T> & { verb: "delete" }, { details }: Status): T =>
  ({
    apiVersion: apiVersionOf(write.resource),
    kind: write.resource.kind,
    metadata: { name: write.name, namespace: write.namespace, uid: details?.uid },
  }) as T;

async function send(json: (...call: Parameters<Request>) => Promise<unknown>, write: Write): Promise<unknown> {
  const { resource } = write;
  const query = (path: string) => withQuery(path, writeParameters(write));
  switch (write.verb) {
    case "create": {
      const { namespace, name } = write.object.metadata;
      const { subresource } = write;
      if (resource.namespaced && !namespace) apiPath(resource, { name: name ?? "" });
      const path = apiPath(resource, subresource ? { namespace, name, subresource } : { namespace });
      return json(query(path), { method: "POST", body: JSON.stringify(write.object) });
    }
    case "update": {
      const { namespace, name } = write.object.metadata;
      const path = apiPath(resource, { namespace, name, subresource: write.subresource });
      return json(query(path), { method: "PUT", body: JSON.stringify(write.object) });
    }
    case "patch":
      return json(query(apiPath(resource, write)), {
        method: "PATCH",
        headers: { "content-type": patchTypes[write.type] },
        body: JSON.stringify(write.patch),
      });
    case "delete": {
      const { namespace, name, preconditions, propagationPolicy, gracePeriodSeconds, dryRun } = write;
      const body = {
        apiVersion: "v1",
        kind: "DeleteOptions",
        preconditions,
        propagationPolicy,
        gracePeriodSeconds,
        ...(dryRun && { dryRun: ["All"] }),
      };
      return json(apiPath(resource, { namespace, name }), { method: "DELETE", body: JSON.stringify(body) });
    }
  }
}

/** A server that says nothing for longer than the watch was to last has gone without a word. Milliseconds. */
const grace = 30_000;

async function* follow<T extends KubeObject>(
  request: Request,
  resource: Resource<T>,
  options: WatchOptions,
  server: string,
): AsyncGenerator<WatchEvent<T>> {
  const { signal, namespace, timeoutSeconds } = options;
  if (signal?.aborted) return;
  const path = withQuery(apiPath(resource, { namespace }), watchParameters(options));
  const idleTimeout = timeoutSeconds === undefined ? 0 : timeoutSeconds * 1000 + grace;
  let body: (AsyncIterable<Uint8Array> & { destroy(): void }) | undefined;
  try {
    ({ body } = await request(path, { signal, idleTimeout }));
    for await (const line of jsonLines(body)) {
      if (signal?.aborted) return;
      const event = line as WatchEvent<T> | { type: "ERROR"; object: Status };
      if (event.type === "ERROR") throw statusErrorFrom(event.object);
      yield event;
    }
  } catch (error) {
    if (signal?.aborted) return;
    if (isCut(error)) throw new ApiUnreachableError(new URL(server).origin, error);
    throw error;
  } finally {
    body?.destroy();
  }
}

/** The connection broke within the stream, possibly within a line. */
const isCut = (error: unknown): boolean =>
  error instanceof SyntaxError ||
  (error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    !(error instanceof ApiUnreachableError));
