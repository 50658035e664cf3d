/** log, exec, attach and portforward: found here, carried out by the agent of the pod's node. Source: kubernetes pkg/registry/core/pod/strategy.go. */
import type { IncomingMessage } from "node:http";
import {
  badRequest,
  type Container,
  failure,
  internalError,
  isRecord,
  type Pod,
  Pods,
  type Status,
  StatusError,
} from "@flotilla/objects";
import { send } from "./answer.ts";
import { kubeletOf, podOf } from "./backends.ts";
import { ask, passOn, readText, type Upstream } from "./forward.ts";
import { count, flag } from "./options.ts";
import type { ResourcePath } from "./resource-path.ts";
import type { Exchange, Serving } from "./serving.ts";

const logParameters = [
  "follow",
  "previous",
  "timestamps",
  "sinceSeconds",
  "sinceTime",
  "tailLines",
  "limitBytes",
  "stream",
];

export async function serveLog(serving: Serving, exchange: Exchange, path: ResourcePath): Promise<void> {
  const { query } = exchange;
  for (const name of ["sinceSeconds", "tailLines", "limitBytes"]) count(query, name);
  if (query.has("sinceSeconds") && query.has("sinceTime"))
    throw badRequest("at most one of sinceTime or sinceSeconds may be specified");
  if (query.has("sinceTime") && Number.isNaN(Date.parse(query.get("sinceTime") ?? "")))
    throw badRequest(`sinceTime: ${JSON.stringify(query.get("sinceTime"))} is not a time as 2006-01-02T15:04:05Z`);
  const pod = podOf(serving, path.namespace, path.name ?? "");
  const container = containerOf(pod, query.get("container") ?? "");
  // Nothing has run yet, so there is nothing to show.
  if (!pod.spec.nodeName) return send(exchange, 200, "", "text/plain");

  const passed = new URLSearchParams();
  for (const name of logParameters) {
    const value = query.get(name);
    if (value)
      passed.set(
        name,
        name === "follow" || name === "previous" || name === "timestamps" ? String(flag(query, name)) : value,
      );
  }
  const upstream = kubeletUpstream(
    serving,
    pod,
    `/containerLogs/${podPath(pod)}/${encodeURIComponent(container)}`,
    passed,
  );
  const incoming = await ask(exchange, upstream, `the agent of node ${pod.spec.nodeName}`);
  if (incoming.statusCode !== 200) throw await kubeletError(incoming, pod);
  await passOn(exchange, incoming);
}

/** Where an upgrade of exec, attach or portforward goes. Throws what kubectl shows when it cannot. */
export function streamTarget(
  serving: Serving,
  query: URLSearchParams,
  path: ResourcePath,
): { pod: Pod; upstream: Upstream } {
  const pod = podOf(serving, path.namespace, path.name ?? "");
  const { phase } = pod.status ?? {};
  if (path.subresource !== "portforward" && (phase === "Succeeded" || phase === "Failed"))
    throw badRequest(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  if (!pod.spec.nodeName) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  if (path.subresource === "portforward")
    return { pod, upstream: kubeletUpstream(serving, pod, `/portForward/${podPath(pod)}`, query) };
  const container = containerOf(pod, query.get("container") ?? "");
  const passed = new URLSearchParams();
  for (const command of query.getAll("command")) passed.append("command", command);
  // The kubelet calls the same switches by other names.
  const renamed = { stdin: "input", stdout: "output", stderr: "error", tty: "tty" };
  for (const [from, to] of Object.entries(renamed)) if (flag(query, from)) passed.set(to, "1");
  if (path.subresource === "exec" && !passed.has("command")) throw badRequest("you must specify at least one command");
  if (!["input", "output", "error"].some((name) => passed.has(name)))
    throw badRequest("at least one of stdin, stdout or stderr must be asked for");
  const place = `/${path.subresource}/${podPath(pod)}/${encodeURIComponent(container)}`;
  return { pod, upstream: kubeletUpstream(serving, pod, place, passed) };
}

const podPath = ({ metadata: { namespace = "", name } }: Pod): string =>
  `${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;

function kubeletUpstream(serving: Serving, pod: Pod, path: string, query: URLSearchParams): Upstream {
  const search = query.size > 0 ? `?${query}` : "";
  return {
    protocol: "http",
    ...kubeletOf(serving, pod.spec.nodeName ?? ""),
    path: `${path}${search}`,
    headers: { authorization: `Bearer ${serving.kubeletToken}` },
  };
}

function containerOf({ metadata: { name }, spec }: Pod, asked: string): string {
  const names = (containers: readonly Pick<Container, "name">[] = []): string[] => containers.map((each) => each.name);
  const containers = names(spec.containers);
  const inits = names(spec.initContainers);
  const ephemerals = names(spec.ephemeralContainers);
  if (asked) {
    if ([...containers, ...inits, ...ephemerals].includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  const [only, ...others] = containers;
  if (only !== undefined && others.length === 0) return only;
  const initChoice = inits.length > 0 ? ` or one of the init containers: [${inits.join(" ")}]` : "";
  throw badRequest(
    `a container name must be specified for pod ${name}, choose one of: [${containers.join(" ")}]${initChoice}`,
  );
}

/** What a kubelet refuses, as the Status that clients know. Source: apiserver pkg/registry/generic/rest/response_checker.go. */
export async function kubeletError(incoming: IncomingMessage, pod: Pod): Promise<StatusError> {
  const text = (await readText(incoming)).trim();
  const code = incoming.statusCode ?? 500;
  // Who may speak to an agent is between it and this server: clients see a fault of the server.
  if (code === 401 || code === 403) return internalError(`the agent of node ${pod.spec.nodeName} refuses this server`);
  const status = statusIn(text);
  if (status) return new StatusError(status);
  if (code === 400) return badRequest(text);
  if (code === 500) return internalError(text);
  const message = text || `the agent of node ${pod.spec.nodeName} answered with ${code}`;
  if (code !== 404) return internalError(message);
  const details = { name: pod.metadata.name, kind: Pods.plural };
  return failure(404, "NotFound", message, details);
}

function statusIn(text: string): Status | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && value.kind === "Status" && typeof value.code === "number" ? (value as Status) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
