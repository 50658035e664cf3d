/** Requests at a steady rate, reads and posts mixed, each failure remembered with its words. */
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";

export interface Failure {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly why: string;
}

export interface LoadResult {
  readonly sent: number;
  readonly failures: readonly Failure[];
  /** Ids of the orders that were answered with 201. */
  readonly orders: readonly string[];
}

export interface Load {
  /** Stops sending, waits for what is on its way. */
  stop(): Promise<LoadResult>;
  /** Orders that were answered with 201 so far. */
  readonly ordered: () => number;
}

/** `rate` requests a second, every fifth one an order; open loop: a slow answer does not slow down what follows. */
export function load(url: string, rate: number, idempotentOnly = false): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 100, timeout: 10_000 });
  const failures: Failure[] = [];
  const orders: string[] = [];
  const running = new Set<Promise<void>>();
  let sent = 0;

  const send = (method: string, path: string, body?: string): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const headers =
        body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const outgoing = request(url + path, { method, agent, timeout: 15_000, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode as number, text }));
        response.on("error", reject);
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error("no answer within 15 s")));
      outgoing.on("error", reject);
      outgoing.end(body);
    });

  async function one(index: number): Promise<void> {
    const isOrder = !idempotentOnly && index % 5 === 0;
    const id = randomUUID();
    const [method, path] = isOrder ? ["POST", "/api/orders"] : ["GET", index % 2 ? "/api/products" : "/"];
    const body = isOrder
      ? JSON.stringify({ id, email: "load@example.com", lines: [{ product: "rope", quantity: 1 }] })
      : undefined;
    const fail = (why: string) =>
      failures.push({ at: new Date().toISOString(), method: method as string, path: path as string, why });
    try {
      const { status, text } = await send(method as string, path as string, body);
      if (status !== (isOrder ? 201 : 200)) fail(`${status} ${text.slice(0, 200)}`);
      else if (isOrder) orders.push(id);
    } catch (error) {
      fail(String(error));
    }
  }

  const begun = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begun) / 1000) * rate);
    while (sent < due) {
      const promise: Promise<void> = one(sent++).finally(() => running.delete(promise));
      running.add(promise);
    }
  }, 5);
  return {
    ordered: () => orders.length,
    async stop() {
      clearInterval(timer);
      await Promise.all(running);
      agent.destroy();
      return { sent, failures, orders };
    },
  };
}
