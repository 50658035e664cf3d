/** Carries TCP connections of a Service to its endpoints. One that is established stays where it is until one side ends it. */
import type { Socket } from "node:net";
import type { Clock } from "@flotilla/ambient";
import { connect } from "./connect.ts";
import { splice } from "./splice.ts";
import type { TcpTelemetry } from "./telemetry/tcp-telemetry.ts";
import type { Upstream } from "./upstream.ts";

/** `client` must be paused, so that nothing is read before there is somebody to send it to. Resolves when it is joined or closed. */
export async function proxyTcp(
  client: Socket,
  upstream: Upstream,
  clock: Clock,
  telemetry: TcpTelemetry,
): Promise<void> {
  // Somebody has to listen, or a reset would end the process.
  client.on("error", () => client.destroy());
  try {
    const { socket, endpoint } = await connect(upstream, clock, {
      client: client.remoteAddress,
      isOver: () => client.destroyed,
    });
    socket.once("close", () => upstream.release(endpoint));
    if (client.destroyed) {
      socket.destroy();
      return;
    }
    telemetry.joined(client, upstream, endpoint);
    splice(client, socket);
  } catch {
    telemetry.failed(client, upstream);
    // Nobody to connect to: a TCP client is told by the connection's reset, there is no other language.
    client.resetAndDestroy();
  }
}
