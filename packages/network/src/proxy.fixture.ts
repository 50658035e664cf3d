/** Tests of the proxy over real sockets: servers on loopback addresses, a table of them, requests. */
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import type { AddressInfo } from "node:net";
import { seededRandom, systemClock } from "@flotilla/ambient";
import { TrafficProxy } from "./proxy.ts";
import {
  type GatewayListener,
  type Table,
  type TableCluster,
  type TableEndpoint,
  type TableRule,
  tableFormat,
} from "./table.ts";
import type { RequestTelemetry } from "./telemetry/request-telemetry.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly trailers: IncomingMessage["trailers"];
  readonly body: string;
}

/** Of its own in each process: test files run side by side. */
export const serviceAddress = `127.125.${(process.pid >> 8) & 0xff}.${process.pid & 0xff || 1}`;

/** Everything that it started ends with `stop`. */
export class Stage {
  readonly problems: Record<string, string> = {};
  readonly proxy: TrafficProxy;
  readonly #servers: Server[] = [];

  constructor(telemetry?: RequestTelemetry) {
    this.proxy = new TrafficProxy({
      ...(telemetry && { telemetry }),
      clock: systemClock,
      random: seededRandom(1),
      gatewayAddresses: [serviceAddress],
      onProblems: (problems) => {
        for (const key of Object.keys(this.problems)) delete this.problems[key];
        Object.assign(this.problems, problems);
      },
    });
  }

  /** A server at `address`, on a port of the system's choice or `port`. */
  async serve(address: string, listener: RequestListener, port = 0): Promise<Server & { endpoint: TableEndpoint }> {
    const server = createServer(listener);
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(port, address, resolve));
    const endpoint: TableEndpoint = { address, port: (server.address() as AddressInfo).port, state: "ready" };
    return Object.assign(server, { endpoint });
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    await this.proxy.stop();
  }
}

export const cluster = (endpoints: readonly TableEndpoint[], rest: Partial<TableCluster> = {}): TableCluster => ({
  service: "shop/orders",
  port: 80,
  endpoints,
  unready: 0,
  ...rest,
});

/** A Service "orders" at `serviceAddress` and `port`, and the gateway's rules. */
export const tableWith = (
  port: number,
  endpoints: readonly TableEndpoint[],
  { protocol = "http", gateways = [] }: { protocol?: "http" | "tcp"; gateways?: readonly GatewayListener[] } = {},
): Table => ({
  format: tableFormat,
  clusters: { orders: cluster(endpoints) },
  services: [{ namespace: "shop", name: "orders", address: serviceAddress, port, protocol, cluster: "orders" }],
  gateways,
  pods: {},
});

export const rule = (rest: Partial<TableRule> = {}): TableRule => ({
  matches: [{ path: { type: "PathPrefix", value: "/" } }],
  filters: [],
  mirrors: [],
  backends: [{ weight: 1, cluster: "orders", filters: [], mirrors: [] }],
  ...rest,
});

export const gateway = (port: number, ...rules: TableRule[]): GatewayListener => ({
  namespace: "flotilla-system",
  gateway: "flotilla",
  name: "http",
  port,
  routes: [{ route: "shop/shop", created: "", hostnames: [], rules }],
});

let ports = 20_000 + (process.pid % 20_000);
export const freshPort = (): number => ++ports;

export interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

export function ask(port: number, path: string, { method, headers, body }: Asking = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(
      {
        host: serviceAddress,
        port,
        path,
        method: method ?? (body === undefined ? "GET" : "POST"),
        headers,
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            trailers: response.trailers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}
