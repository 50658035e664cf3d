/** Posts OTLP requests over one kept connection. What became of one is an answer, never an exception: nobody waits for telemetry. */
import { Agent, request as httpRequest } from "node:http";
import type { Clock } from "@flotilla/ambient";

/** "later": nobody is there or has room at the moment; "refused": trying again is no use. */
export type Sent = "taken" | "later" | "refused";

/** Milliseconds for one request. */
const limit = 5000;

/** Source: OTLP specification, OTLP/HTTP, Retryable response codes. */
const retryable = new Set([429, 502, 503, 504]);

export class OtlpClient {
  readonly #base: URL;
  readonly #clock: Clock;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 });

  /** `endpoint`: "http://127.0.0.1:4318", below which are v1/traces and v1/metrics. */
  constructor(endpoint: string, clock: Clock) {
    this.#base = new URL(endpoint.endsWith("/") ? endpoint : `${endpoint}/`);
    if (this.#base.protocol !== "http:") throw new Error(`OTLP endpoint ${endpoint}: only http:// is supported`);
    this.#clock = clock;
  }

  send(signal: "traces" | "metrics", body: Uint8Array): Promise<Sent> {
    return new Promise((resolve) => {
      const request = httpRequest(new URL(`v1/${signal}`, this.#base), {
        agent: this.#agent,
        method: "POST",
        headers: { "Content-Type": "application/x-protobuf", "Content-Length": body.length },
      });
      const cancel = this.#clock.after(limit, () => request.destroy(), { background: true });
      const finish = (sent: Sent) => {
        cancel();
        resolve(sent);
      };
      request.on("response", (answer) => {
        const { statusCode = 0 } = answer;
        answer.resume();
        answer.on("error", () => finish("later"));
        answer.once("close", () => {
          if (statusCode >= 200 && statusCode < 300) finish("taken");
          else finish(retryable.has(statusCode) ? "later" : "refused");
        });
      });
      request.on("error", () => finish("later"));
      request.end(body);
    });
  }

  stop(): void {
    this.#agent.destroy();
  }
}
