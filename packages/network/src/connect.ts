/** A TCP connection to an endpoint of a cluster: on another one when the first cannot be reached, within the time that a client is held. */
import { connect as netConnect, type Socket } from "node:net";
import type { Clock } from "@flotilla/ambient";
import { connectLimit } from "./forward.ts";
import type { Passage } from "./telemetry/passage.ts";
import { holdTime, type Upstream, type UpstreamEndpoint } from "./upstream.ts";

export interface Connected {
  readonly socket: Socket;
  readonly endpoint: UpstreamEndpoint;
}

/** Rejects with the reason when there is none. `isOver`: nobody waits any more. What is connected must be released when it closes. */
export async function connect(
  upstream: Upstream,
  clock: Clock,
  { client, isOver, passage }: { client: string | undefined; isOver: () => boolean; passage?: Passage },
): Promise<Connected> {
  const tried = new Set<UpstreamEndpoint>();
  const until = clock.now() + holdTime;
  let lastError: Error | undefined;
  while (!isOver()) {
    passage?.waiting();
    const endpoint = await upstream.take(tried, until, client);
    passage?.took(endpoint);
    if (!endpoint) throw new Error(upstream.explain(lastError));
    tried.add(endpoint);
    try {
      passage?.connecting();
      const socket = await connectOnce(endpoint, clock);
      passage?.connected();
      upstream.noteConnected(endpoint);
      return { socket, endpoint };
    } catch (error) {
      lastError = error as Error;
      passage?.failed(endpoint, "connect", lastError);
      upstream.noteFailedConnect(endpoint);
      upstream.release(endpoint);
    }
  }
  throw new Error("the client has gone");
}

function connectOnce({ address, port }: UpstreamEndpoint, clock: Clock): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = netConnect({ host: address, port, allowHalfOpen: true, noDelay: true });
    const cancel = clock.after(connectLimit, () => socket.destroy(new Error("connect time-out")));
    socket.once("error", (error) => {
      cancel();
      reject(error);
    });
    socket.once("connect", () => {
      cancel();
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}
