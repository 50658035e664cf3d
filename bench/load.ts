/** Requests over connections that are kept open. */
import { Agent, get } from "node:http";
import { median } from "./measure.ts";

const ask = (url: string, agent: Agent): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const request = get(url, { agent, timeout: 10_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    request.on("timeout", () => request.destroy(new Error(`${url}: no answer within 10 s`)));
    request.on("error", reject);
  });

const pool = new Agent({ keepAlive: true });

/** "" while nobody answers. */
export const bodyOf = (url: string): Promise<string> =>
  ask(url, pool).then(
    ({ body }) => body,
    () => "",
  );

export interface Load {
  /** Answered within the time, per second. */
  readonly perSecond: number;
  /** Median, ms. */
  readonly latency: number;
  readonly failed: number;
}

/** Each of `connections` asks again as soon as it is answered, for `duration` ms. */
export async function load(url: string, connections: number, duration: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const taken: number[] = [];
  let failed = 0;
  const start = performance.now();
  const worker = async () => {
    for (let at = performance.now(); at - start < duration; at = performance.now()) {
      const { status } = await ask(url, agent).catch(() => ({ status: 0 }));
      if (status === 200) taken.push(performance.now() - at);
      else failed++;
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const seconds = (performance.now() - start) / 1000;
  agent.destroy();
  return { perSecond: taken.length / seconds, latency: median(taken), failed };
}
