/** WebSocket upgrades for exec, attach, portforward and proxy: checked as any request, then piped as bytes to the node's agent. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { badRequest, internalError, type Pod, type Resource } from "@flotilla/objects";
import { openUpstream, passedHeaders, type Upstream } from "./forward.ts";
import { kubeletError, streamTarget } from "./kubelet.ts";
import { proxyTarget } from "./proxy.ts";
import type { ResourcePath } from "./resource-path.ts";
import type { Exchange, Serving } from "./serving.ts";

const streams = ["exec", "attach", "portforward"];

export const isStream = ({ subresource }: ResourcePath, { plural }: Resource): boolean =>
  plural === "pods" && streams.includes(subresource ?? "");

/** Refused before anything is started: exec and its siblings need an upgrade that this server speaks. */
export function refuseStream(serving: Serving, exchange: Exchange, path: ResourcePath): never {
  const { pod } = streamTarget(serving, exchange.query, path);
  const protocol = exchange.request.headers.upgrade;
  if (!protocol) throw badRequest("Upgrade request required");
  // kubectl tries SPDY after a refused WebSocket, and shows this answer: repeat the likely reason of that refusal.
  const asked = exchange.query.get("container");
  const statuses = pod.status?.containerStatuses ?? [];
  const status = asked ? statuses.find(({ name }) => name === asked) : statuses[0];
  if (path.subresource !== "portforward" && !status?.state?.running)
    throw internalError(
      `unable to upgrade connection: container not found (${JSON.stringify(asked ?? pod.spec.containers[0]?.name)})`,
    );
  throw badRequest(
    `unable to upgrade connection: ${protocol} is not served, only WebSocket with v5.channel.k8s.io or v4.channel.k8s.io ` +
      "(kubectl 1.31 or newer speaks it)",
  );
}

const isWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === "websocket";

/** Resolves when the connection has ended; throws what refuses it before it is upgraded. */
export async function serveUpgrade(
  serving: Serving,
  exchange: Exchange,
  path: ResourcePath,
  resource: Resource,
  client: { socket: Duplex; head: Buffer },
): Promise<void> {
  if (!isWebSocket(exchange.request)) return refuseStream(serving, exchange, path);
  if (isStream(path, resource)) {
    const { pod, upstream } = streamTarget(serving, exchange.query, path);
    return connect(serving, exchange, upstream, client, pod);
  }
  const search = exchange.request.url?.split("?")[1];
  return connect(serving, exchange, proxyTarget(serving, path, search ? `?${search}` : ""), client);
}

async function connect(
  serving: Serving,
  { request, response: refusal }: Exchange,
  upstream: Upstream,
  client: { socket: Duplex; head: Buffer },
  pod?: Pod,
): Promise<void> {
  const headers = { ...passedHeaders(request), connection: "Upgrade", upgrade: "websocket" };
  const outgoing = openUpstream(upstream, "GET", headers);
  const { socket, head } = client;
  // A client that goes away while we connect must not leave the other side open.
  const abandon = () => outgoing.destroy();
  socket.on("close", abandon);

  const opened = await new Promise<{ response: IncomingMessage; peer: Duplex; first: Buffer }>((resolve, reject) => {
    outgoing.on("upgrade", (response, peer, first) => resolve({ response, peer, first }));
    outgoing.on("response", (response) =>
      pod
        ? kubeletError(response, pod).then(reject, reject)
        : reject(internalError(`the upgrade was refused with ${response.statusCode}`)),
    );
    outgoing.on("error", (error) => reject(internalError(`error dialing backend: ${error.message}`)));
    outgoing.end();
  });
  socket.off("close", abandon);
  // From here on the bytes are not HTTP, and no answer can be written any more.
  refusal.detachSocket(socket as Socket);

  const { response, peer, first } = opened;
  const lines = [`HTTP/1.1 101 Switching Protocols`];
  for (let i = 0; i < response.rawHeaders.length; i += 2)
    lines.push(`${response.rawHeaders[i]}: ${response.rawHeaders[i + 1]}`);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (first.length > 0) socket.write(first);
  if (head.length > 0) peer.write(head);
  const forget = serving.onClose(() => socket.destroy());
  await pipeBoth(socket, peer);
  forget();
}

/** Bytes both ways until both sides have ended, or one of them breaks. */
function pipeBoth(a: Duplex, b: Duplex): Promise<void> {
  return new Promise((resolve) => {
    let open = 2;
    const closed = () => {
      if (--open === 0) resolve();
    };
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        to.destroy();
        closed();
      });
    }
  });
}
