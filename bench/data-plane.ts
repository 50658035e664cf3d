/**
 * What a request costs on its way through the data plane, beside no proxy at all and beside the least that a reverse proxy on
 * node:http can be; and with telemetry beside without. Ratios of one run; each server is a process of its own, whose processor
 * time is what counts.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { Agent, createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { systemClock, systemRandom } from "@flotilla/ambient";
import { TrafficProxy } from "../packages/network/src/proxy.ts";
import { tableFormat } from "../packages/network/src/table.ts";
import { startExport } from "../packages/network/src/telemetry/export.ts";
import { median } from "./measure.ts";

const backendPort = 27_411;
const ports = {
  direct: backendPort,
  minimal: 27_412,
  service: 27_413,
  gateway: 27_414,
  told: 27_415,
  toldService: 27_416,
};
const receiverPort = 27_417;
type Way = keyof typeof ports;

const end = "<end>";
const body = "x".repeat(1000 - end.length) + end;
const messages = {
  GET: "GET /api/products?page=2 HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n",
  POST: `POST /api/orders HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: bench\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
};
type Method = keyof typeof messages;

const servers: Record<string, () => Promise<void>> = {
  async backend() {
    const server = createServer((request, response) => {
      request.resume();
      request.on("end", () => {
        response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": body.length, ETag: '"a"' });
        response.end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(backendPort, "127.0.0.1", resolve));
  },
  async minimal() {
    const agent = new Agent({ keepAlive: true });
    const server = createServer((incoming, response) => {
      const { method, url: path, rawHeaders: headers } = incoming;
      const to = { agent, host: "127.0.0.1", port: backendPort, method, path, headers, setHost: false };
      const outgoing = httpRequest(to, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
      });
      outgoing.on("error", () => response.destroy());
      incoming.pipe(outgoing);
    });
    await new Promise<void>((resolve) => server.listen(ports.minimal, "127.0.0.1", resolve));
  },
  ours: () => startProxy(ports),
  /** Every request is counted and makes a span, which somebody takes. */
  told: () => startProxy({ service: ports.toldService, gateway: ports.told }, `http://127.0.0.1:${receiverPort}`),
  async receiver() {
    const server = createServer((request, response) => {
      request.resume().on("end", () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(receiverPort, "127.0.0.1", resolve));
  },
};

/** `endpoint`: where telemetry goes; undefined: nowhere. */
async function startProxy(at: { service: number; gateway: number }, endpoint?: string): Promise<void> {
  const random = systemRandom;
  const otlp = endpoint === undefined ? undefined : { endpoint, spansPerSecond: Number.POSITIVE_INFINITY };
  const { telemetry } = startExport({ clock: systemClock, random, ...(otlp && { otlp }) });
  const proxy = new TrafficProxy({
    clock: systemClock,
    random,
    telemetry,
    gatewayAddresses: ["127.0.0.1"],
    onProblems: (problems) => {
      if (Object.keys(problems).length > 0) throw new Error(Object.values(problems).join("; "));
    },
  });
  const endpoints = [{ address: "127.0.0.1", port: backendPort, state: "ready" as const }];
  const rule = (value: string) => ({
    matches: [{ path: { type: "PathPrefix" as const, value } }],
    filters: [],
    mirrors: [],
    backends: [{ weight: 1, cluster: "shop/shop:80", filters: [], mirrors: [] }],
    requestTimeout: 15_000,
  });
  const rules = ["/", "/api/products", "/api/orders", "/account"].map(rule);
  await proxy.apply({
    format: tableFormat,
    pods: {},
    clusters: { "shop/shop:80": { service: "shop/shop", port: 80, endpoints, unready: 0 } },
    services: [
      {
        namespace: "shop",
        name: "shop",
        address: "127.0.0.1",
        port: at.service,
        protocol: "http",
        cluster: "shop/shop:80",
      },
    ],
    gateways: [
      {
        namespace: "shop",
        gateway: "shop",
        name: "http",
        port: at.gateway,
        routes: [{ route: "shop/shop", created: "", hostnames: ["shop.test"], rules }],
      },
    ],
  });
}

/** One process that serves, and tells its processor time. */
class Served {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(role: string): Promise<Served> {
    const child = fork(fileURLToPath(import.meta.url), [role], { execArgv: process.execArgv });
    const [first] = await Promise.race([
      once(child, "message"),
      once(child, "exit").then(([code]) => Promise.reject(new Error(`${role} ended with ${code}`))),
    ]);
    if (first !== "ready") throw new Error(`${role} says ${first}`);
    return new Served(child);
  }

  /** Microseconds of processor so far. */
  async used(): Promise<number> {
    this.#child.send("used?");
    const [used] = await once(this.#child, "message");
    return used as number;
  }

  stop(): void {
    this.#child.disconnect();
  }
}

async function serve(role: string): Promise<void> {
  await servers[role]?.();
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.on("disconnect", () => process.exit());
  process.send?.("ready");
}

/**
 * Sends `count` requests over `connections` kept connections, each one after the answer to the one before; answers with how long
 * each took. Microseconds.
 */
async function ask(way: Way, method: Method, count: number, connections: number): Promise<number[]> {
  let left = count;
  const times: number[] = [];
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ port: ports[way], host: "127.0.0.1", noDelay: true });
      let asked = 0;
      const next = () => {
        asked = performance.now();
        if (left-- > 0) return void socket.write(messages[method]);
        socket.end();
        resolve();
      };
      let heard = "";
      socket.setEncoding("latin1");
      socket.on("connect", next);
      socket.on("data", (text: string) => {
        heard += text;
        if (!heard.endsWith(end)) return;
        if (!heard.startsWith("HTTP/1.1 200 ")) return reject(new Error(`${way}: ${heard.slice(0, 100)}`));
        heard = "";
        times.push((performance.now() - asked) * 1000);
        next();
      });
      socket.on("error", reject);
      socket.on("close", () => reject(new Error(`${way}: closed`)));
    });
  await Promise.all(Array.from({ length: connections }, one));
  return times;
}

export interface DataPlaneFigures {
  /** Microseconds of processor of the proxy's process for one request. `told`, `toldService`: with telemetry. */
  readonly processor: Readonly<Record<Exclude<Way, "direct">, number>>;
  /** Microseconds from request to answer, one request at a time: medians. */
  readonly time: Readonly<Record<Way, number>>;
}

const rounds = 5;
const turns = 5;
const each = Number(process.env.REQUESTS ?? 3000);

/** Takes about half a minute. */
export async function measureDataPlane(): Promise<Record<Method, DataPlaneFigures>> {
  const backend = await Served.start("backend");
  const minimal = await Served.start("minimal");
  const ours = await Served.start("ours");
  const receiver = await Served.start("receiver");
  const told = await Served.start("told");
  const process = { minimal, service: ours, gateway: ours, told, toldService: told };
  const proxied = ["minimal", "service", "toldService", "gateway", "told"] as const;
  const ways = ["direct", ...proxied] as const;
  const figuresOf = async (method: Method): Promise<DataPlaneFigures> => {
    const none = (): number[] => [];
    const processor = { minimal: none(), service: none(), gateway: none(), told: none(), toldService: none() };
    const time = { direct: none(), ...structuredClone(processor) };
    for (const way of ways) await ask(way, method, each, 16);
    for (let round = 0; round < rounds; round++) {
      for (const way of proxied) {
        const before = await process[way].used();
        await ask(way, method, each, 16);
        processor[way].push(((await process[way].used()) - before) / each);
      }
      // In small turns, so that what else the machine does falls on all of them.
      for (let turn = 0; turn < turns; turn++)
        for (const way of ways) time[way].push(...(await ask(way, method, each / 10 / turns, 1)));
    }
    const medians = <K extends string>(of: Record<K, number[]>) =>
      Object.fromEntries(Object.entries<number[]>(of).map(([key, values]) => [key, median(values)])) as Record<
        K,
        number
      >;
    return { processor: medians(processor), time: medians(time) };
  };
  try {
    return { GET: await figuresOf("GET"), POST: await figuresOf("POST") };
  } finally {
    for (const served of [backend, minimal, ours, told, receiver]) served.stop();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const role = process.argv[2];
  if (role) await serve(role);
  else {
    const figures = await measureDataPlane();
    for (const [method, { processor, time }] of Object.entries(figures)) {
      for (const [what, values] of Object.entries({ processor, time })) {
        const parts = Object.entries(values).map(
          ([way, value]) => `${way} ${Math.round(value)} us (${(value / values.minimal).toFixed(2)})`,
        );
        console.log(`${method} ${what.padEnd(9)} ${parts.join(" : ")}`);
      }
    }
  }
}
