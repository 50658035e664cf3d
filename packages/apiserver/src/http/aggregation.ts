/** Group versions that other servers answer for: APIServices with a Service. Their requests are forwarded, their discovery merged into ours. */
import { type APIService, APIServices, isRecord, serviceUnavailable } from "@flotilla/objects";
import { endpointOf, isKubelet } from "./backends.ts";
import { forward, openUpstream, readText, type Upstream } from "./forward.ts";
import type { Exchange, Serving } from "./serving.ts";

export interface RemoteVersion {
  readonly group: string;
  readonly version: string;
  /** Entries as in aggregated discovery. */
  readonly resources: readonly object[];
  /** It did not answer; what is known of it may be old. */
  readonly isStale: boolean;
  /** Changes whenever the rest does. */
  readonly revision: string;
}

export interface Aggregation {
  find(group: string, version: string): APIService | undefined;
  /** Of all that there are; waits for a server that has not been asked lately. */
  versions(): Promise<readonly RemoteVersion[]>;
  forward(exchange: Exchange, service: APIService): Promise<void>;
}

const keepFor = 5_000;
const askTimeout = 2_000;
const largestDocument = 1024 * 1024;

export function createAggregation(serving: Serving): Aggregation {
  const known = new Map<string, { at: number; value: RemoteVersion }>();
  const asking = new Map<string, Promise<RemoteVersion>>();

  const remoteServices = (): APIService[] =>
    (serving.registry.list(APIServices).items as APIService[]).filter(({ spec }) => spec?.service);

  async function versionOf(service: APIService): Promise<RemoteVersion> {
    const key = `${service.metadata.uid}/${service.metadata.resourceVersion}`;
    const last = known.get(key);
    if (last && serving.clock.now() - last.at < keepFor) return last.value;
    let answer = asking.get(key);
    if (!answer) {
      answer = askVersion(serving, service, last?.value).finally(() => asking.delete(key));
      asking.set(key, answer);
    }
    const value = await answer;
    if (known.size > 100) known.clear();
    known.set(key, { at: serving.clock.now(), value });
    return value;
  }

  return {
    find: (group, version) => remoteServices().find(({ spec }) => spec?.group === group && spec?.version === version),
    versions: () => Promise.all(remoteServices().map(versionOf)),
    async forward(exchange, service) {
      const { user, request } = exchange;
      // How the server behind learns who asks. Source: kube-aggregator (request header authentication).
      const headers = { "x-remote-user": user.username, "x-remote-group": [...user.groups] };
      await forward(exchange, upstreamOf(serving, service, request.url ?? "/", headers), nameOf(service));
    },
  };
}

const nameOf = ({ spec }: APIService): string => `service ${spec?.service?.namespace}/${spec?.service?.name}`;

function upstreamOf(
  serving: Serving,
  service: APIService,
  path: string,
  headers: Record<string, string | string[]>,
): Upstream {
  const { service: target, caBundle, insecureSkipTLSVerify } = service.spec ?? {};
  const { namespace, name = "", port = 443 } = target ?? {};
  const address = reachable(serving, namespace, name, port);
  const isSecure = Boolean(caBundle || insecureSkipTLSVerify);
  // A node's agent knows this server by its token; nobody else may see it.
  const token = isKubelet(serving, address) ? { authorization: `Bearer ${serving.kubeletToken}` } : {};
  return {
    protocol: isSecure ? "https" : "http",
    ...address,
    path,
    headers: { ...headers, ...token },
    ca: caBundle && !insecureSkipTLSVerify ? Buffer.from(caBundle, "base64").toString("utf8") : undefined,
    serverName: `${name}.${namespace}.svc`,
  };
}

function reachable(serving: Serving, namespace: string | undefined, name: string, port: number) {
  try {
    return endpointOf(serving, namespace, name, String(port));
  } catch (error) {
    throw serviceUnavailable(`service unavailable: ${(error as Error).message}`);
  }
}

async function askVersion(
  serving: Serving,
  service: APIService,
  last: RemoteVersion | undefined,
): Promise<RemoteVersion> {
  const { group = "", version = "" } = service.spec ?? {};
  try {
    const document = await askResources(serving, service, `/apis/${group}/${version}`);
    const resources = aggregatedEntries(document, group, version);
    return { group, version, resources, isStale: false, revision: JSON.stringify(document) };
  } catch (error) {
    serving.log(`discovery of ${group}/${version} failed: ${(error as Error).message}`);
    const resources = last?.resources ?? [];
    return { group, version, resources, isStale: true, revision: `stale ${last?.revision ?? ""}` };
  }
}

/** Its discovery document. Rejects when it does not answer in time, or not with one. */
export function askResources(serving: Serving, service: APIService, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { "x-remote-user": "system:aggregator", "x-remote-group": ["system:masters"] };
    const request = openUpstream(upstreamOf(serving, service, path, headers), "GET", { accept: "application/json" });
    const cancel = serving.clock.after(askTimeout, () => request.destroy(new Error("no answer in time")), {
      background: true,
    });
    request.on("close", cancel);
    request.on("error", reject);
    request.on("response", (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        return reject(new Error(`it answered with ${response.statusCode}`));
      }
      readText(response, largestDocument)
        .then((text) => resolve(JSON.parse(text)))
        .catch(reject);
    });
    request.end();
  });
}

/** An APIResourceList in the form of aggregated discovery. */
function aggregatedEntries(document: unknown, group: string, version: string): object[] {
  const list = isRecord(document) && Array.isArray(document.resources) ? document.resources.filter(isRecord) : [];
  const isPart = (resource: Record<string, unknown>): boolean => String(resource.name).includes("/");
  return list
    .filter((resource) => !isPart(resource))
    .map(({ name, singularName, namespaced, kind, verbs, shortNames, categories }) => ({
      resource: name,
      responseKind: { group, version, kind },
      scope: namespaced ? "Namespaced" : "Cluster",
      singularResource: singularName,
      verbs,
      shortNames,
      categories,
      subresources: list
        .filter((resource) => String(resource.name).startsWith(`${name}/`))
        .map((resource) => ({
          subresource: String(resource.name).slice(String(name).length + 1),
          responseKind: { group: resource.group || group, version: resource.version || version, kind: resource.kind },
          verbs: resource.verbs,
        })),
    }));
}
