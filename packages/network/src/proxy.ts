/** Serves a table: listens where it says, sends on to whom it says, and follows from one table to the next without a break. */

import type { Server as HttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { type Clock, type Random, systemStopwatch, uuid } from "@flotilla/ambient";
import { type AccessEntry, gatewayHandler, type ProxyContext, serviceHandler } from "./exchange.ts";
import { type HttpHandler, httpServer } from "./http-server.ts";
import { Listeners, type Wanted } from "./listeners.ts";
import { compileRoutes, type Routes } from "./route-match.ts";
import type { GatewayListener, Table } from "./table.ts";
import { proxyTcp } from "./tcp-proxy.ts";
import { type Count, RequestTelemetry } from "./telemetry/request-telemetry.ts";
import { TcpTelemetry } from "./telemetry/tcp-telemetry.ts";
import { observeUpstreams } from "./telemetry/upstream-telemetry.ts";
import { Upstream } from "./upstream.ts";

export interface ProxyOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Where listeners of Gateways are. */
  readonly gatewayAddresses: readonly string[];
  /** Reasons by "address:port" of what cannot be listened on. */
  readonly onProblems: (problems: Readonly<Record<string, string>>) => void;
  readonly onAccess?: (entry: AccessEntry) => void;
  /** Where requests are counted and spans go; undefined: they are counted. */
  readonly telemetry?: RequestTelemetry;
}

/** What is under way at a stop has this long to end. */
const grace = 3000;

export class TrafficProxy {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #gatewayAddresses: readonly string[];
  readonly #listeners: Listeners;
  readonly #upstreams = new Map<string, Upstream>();
  readonly #routes = new Map<number, Routes>();
  readonly #sockets = new Set<Socket>();
  readonly #httpServers = new Set<HttpServer>();
  readonly #telemetry: RequestTelemetry;
  readonly #tcpTelemetry: TcpTelemetry;
  readonly #context: ProxyContext;
  #stopped = false;

  constructor({ clock, random, gatewayAddresses, onProblems, onAccess, telemetry }: ProxyOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#gatewayAddresses = gatewayAddresses;
    this.#listeners = new Listeners(clock, onProblems);
    this.#telemetry = telemetry ?? new RequestTelemetry({ clock, stopwatch: systemStopwatch });
    this.#tcpTelemetry = new TcpTelemetry(this.#telemetry);
    observeUpstreams(this.#telemetry.meter, () => this.#upstreams.values());
    this.#context = {
      clock,
      random,
      telemetry: this.#telemetry,
      newId: requestIds(random),
      upstream: (cluster) => this.#upstreams.get(cluster),
      ...(onAccess && { onAccess }),
    };
  }

  /** Endpoints and routes hold at once; resolves when each new address is listened on or has failed. */
  async apply(table: Table): Promise<void> {
    if (this.#stopped) return;
    this.#telemetry.pods(table.pods);
    for (const [key, upstream] of this.#upstreams) {
      if (key in table.clusters) continue;
      upstream.stop();
      this.#upstreams.delete(key);
    }
    for (const [key, cluster] of Object.entries(table.clusters)) {
      const known = this.#upstreams.get(key);
      if (known) known.update(cluster);
      else this.#upstreams.set(key, new Upstream(cluster, this.#clock, this.#random));
    }
    const byPort = Map.groupBy(table.gateways, ({ port }) => port);
    this.#routes.clear();
    for (const [port, listeners] of byPort) this.#routes.set(port, compileRoutes(listeners));
    await this.#listeners.want([...this.#serviceListeners(table), ...this.#gatewayListeners(byPort)]);
  }

  stats(): Count[] {
    return this.#telemetry.stats();
  }

  /** Takes no more connections, lets what is under way end for a while, then cuts it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#listeners.stop();
    const until = this.#clock.now() + grace;
    while (this.#sockets.size > 0 && this.#clock.now() < until) {
      for (const server of this.#httpServers) server.closeIdleConnections();
      await new Promise<void>((resolve) => this.#clock.after(20, resolve));
    }
    for (const socket of this.#sockets) socket.destroy();
    for (const upstream of this.#upstreams.values()) upstream.stop();
  }

  #serviceListeners({ services }: Table): Wanted[] {
    return services.map(({ address, port, protocol, cluster }) => ({
      address,
      port,
      kind: `${protocol} ${cluster}`,
      open: () =>
        protocol === "http"
          ? this.#http(serviceHandler(this.#context, cluster))
          : this.#tcp(() => this.#upstreams.get(cluster)),
    }));
  }

  #gatewayListeners(byPort: ReadonlyMap<number, GatewayListener[]>): Wanted[] {
    const none: Routes = () => undefined;
    return [...byPort.keys()].flatMap((port) =>
      this.#gatewayAddresses.map((address) => ({
        address,
        port,
        kind: "gateway",
        open: () => this.#http(gatewayHandler(this.#context, () => this.#routes.get(port) ?? none)),
      })),
    );
  }

  #http(handler: HttpHandler): Server {
    const server = httpServer(handler);
    this.#httpServers.add(server);
    server.once("close", () => this.#httpServers.delete(server));
    return this.#tracked(server);
  }

  #tcp(upstream: () => Upstream | undefined): Server {
    return this.#tracked(
      createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
        const found = upstream();
        if (found) void proxyTcp(client, found, this.#clock, this.#tcpTelemetry);
        else client.resetAndDestroy();
      }),
    );
  }

  #tracked(server: Server): Server {
    return server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }
}

/** Of a UUID's form, without the price of one for each request: what differs between processes is random, the rest counts. */
function requestIds(random: Random): () => string {
  const start = uuid(random).slice(0, -12);
  let last = 0;
  return () => start + (++last).toString(16).padStart(12, "0");
}
