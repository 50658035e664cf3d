/** Passes one HTTP request to an endpoint of its cluster and the answer back; tries again where that is safe. */
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { Cancel, Clock } from "@flotilla/ambient";
import { answerError } from "./error-answer.ts";
import { endToEnd, type Headers, headerOf, trailers, without } from "./headers.ts";
import { RequestBody } from "./request-body.ts";
import { isIdempotent, shouldRetry } from "./retry.ts";
import type { Passage } from "./telemetry/passage.ts";
import { holdTime, type Upstream, type UpstreamEndpoint } from "./upstream.ts";

/** Milliseconds to connect; endpoints are near. */
export const connectLimit = 1000;

/** One request and where it is going. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly passage: Passage;
  readonly path: string;
  /** As they go to the endpoint. */
  readonly headers: Headers;
  /** Changes the answer's headers. */
  readonly onAnswer: (headers: Headers) => Headers;
  /** Milliseconds from the last piece of the request to the answer's headers: of all tries, and of each. */
  readonly requestTimeout?: number;
  readonly backendTimeout?: number;
}

type Outcome = { readonly kind: "done" } | { readonly kind: "connect" | "reset"; readonly error: Error };

class TimedOut extends Error {}

/** Resolves when the answer, whichever it is, has been sent or the client has gone. Never rejects. */
export async function forward(exchange: Exchange): Promise<void> {
  const { request, response, upstream, clock, passage } = exchange;
  const method = request.method ?? "GET";
  const body = new RequestBody(request, isIdempotent(method));
  const attempts = new Attempts(exchange, body);
  const tried = new Set<UpstreamEndpoint>();
  const until = clock.now() + holdTime;
  let lastError: Error | undefined;
  let resets = 0;
  upstream.budget.noteRequest(clock.now());
  try {
    for (;;) {
      passage.waiting();
      const endpoint = await upstream.take(tried, until, request.socket.remoteAddress);
      passage.took(endpoint);
      if (!endpoint) return answerError(request, response, 503, upstream.explain(lastError));
      tried.add(endpoint);
      const outcome = await attempts.run(endpoint).finally(() => upstream.release(endpoint));
      if (outcome.kind === "done") return;
      lastError = outcome.error;
      passage.failed(endpoint, outcome.kind, lastError);
      if (outcome.kind === "connect") upstream.noteFailedConnect(endpoint);
      const { replayable } = body;
      const spend = outcome.kind === "reset" && replayable && isIdempotent(method);
      const withinBudget = !spend || upstream.budget.take(clock.now());
      if (!shouldRetry({ kind: outcome.kind, method, replayable, resets, withinBudget })) {
        return answerError(request, response, 502, `service ${upstream.service} broke off: ${lastError.message}`);
      }
      if (outcome.kind === "reset") resets++;
    }
  } finally {
    attempts.end();
  }
}

const done: Outcome = { kind: "done" };

/** The tries of one exchange, at most one at a time, with what they share: the client that may go and the time that may run out. */
class Attempts {
  /** The client has gone or has been answered. */
  over = false;
  readonly #exchange: Exchange;
  readonly #body: RequestBody;
  #current: ClientRequest | undefined;
  #cancelTimer: Cancel | undefined;
  #lastPiece: number;
  /** The client has been told to send the body. */
  #continued = false;

  constructor(exchange: Exchange, body: RequestBody) {
    this.#exchange = exchange;
    this.#body = body;
    this.#lastPiece = exchange.clock.now();
    body.onProgress = () => {
      this.#lastPiece = exchange.clock.now();
    };
    exchange.response.once("close", this.#onClose);
    if (exchange.requestTimeout) this.#watchTime(exchange.requestTimeout);
  }

  run(endpoint: UpstreamEndpoint): Promise<Outcome> {
    const { request, upstream, clock, passage, path, headers, backendTimeout } = this.#exchange;
    return new Promise((resolve) => {
      if (this.over) return resolve(done);
      const method = request.method ?? "GET";
      if (!isIdempotent(method)) endpoint.pool.closeStale();
      const { address: host, port } = endpoint;
      const outgoing = httpRequest({ agent: endpoint.pool, host, port, method, path, headers, setHost: false });
      this.#current = outgoing;
      let connected = false;
      let answered = false;
      let cancelTimer: Cancel | undefined;
      const finish = (outcome: Outcome) => {
        cancelTimer?.();
        this.#body.detach();
        if (this.#current === outgoing) this.#current = undefined;
        resolve(outcome);
      };
      const refuse = (why: string) => {
        outgoing.destroy();
        const what = `service ${upstream.service} gave an answer that is malformed: ${why}`;
        answerError(request, this.#exchange.response, 502, what);
        finish(done);
      };
      const begin = () => {
        connected = true;
        cancelTimer?.();
        upstream.noteConnected(endpoint);
        if (backendTimeout) {
          cancelTimer = clock.after(backendTimeout, () => outgoing.destroy(new TimedOut("no answer in time")));
        }
        if (this.#body.exists && request.headers.expect && !this.#continued) {
          this.#continued = true;
          this.#exchange.response.writeContinue();
        }
        this.#body.sendTo(outgoing);
      };
      outgoing.once("socket", (socket) => {
        if (!socket.connecting) return begin();
        passage.connecting();
        cancelTimer = clock.after(connectLimit, () => outgoing.destroy(new Error("connect time-out")));
        socket.once("connect", () => {
          passage.connected();
          begin();
        });
      });
      outgoing.once("response", (answer) => {
        answered = true;
        passage.answer();
        cancelTimer?.();
        this.#cancelTimer?.();
        try {
          this.#relay(answer, outgoing, () => finish(done));
        } catch (error) {
          // A status or header that must not be passed on.
          refuse((error as Error).message);
        }
      });
      outgoing.once("upgrade", () => {
        answered = true;
        refuse("an upgrade that nobody asked for");
      });
      outgoing.on("error", (error) => {
        // After the answer has begun, `#relay` sees to it.
        if (answered) return;
        if (this.over) return finish(done);
        if (error instanceof TimedOut) {
          answerError(request, this.#exchange.response, 504, this.#late(backendTimeout));
          return finish(done);
        }
        finish({ kind: connected ? "reset" : "connect", error });
      });
    });
  }

  /** After the last try. */
  end(): void {
    this.#cancelTimer?.();
    if (!this.#body.complete) this.#body.discard();
  }

  readonly #onClose = (): void => {
    this.over = true;
    this.#current?.destroy();
  };

  #relay(answer: IncomingMessage, outgoing: ClientRequest, finish: () => void): void {
    const { request, response, onAnswer, clock, passage } = this.#exchange;
    const status = answer.statusCode ?? 502;
    if (status < 200) throw new Error(`status ${status}`);
    let headers = onAnswer(endToEnd(answer.rawHeaders));
    const chunked = request.httpVersion === "1.1" && answer.headers["content-length"] === undefined;
    const bodiless = request.method === "HEAD" || status === 204 || status === 304;
    if (!chunked || bodiless) headers = without(headers, ["trailer"]);
    response.writeHead(status, answer.statusMessage, headers);
    // The first piece of the body usually comes in this turn; where none does, the headers go alone.
    clock.soon(() => {
      if (!response.writableEnded && !response.destroyed) response.flushHeaders();
    });
    answer.pipe(response, { end: false });
    answer.once("end", () => {
      if (headerOf(headers, "trailer") !== undefined) response.addTrailers(trailers(answer.rawTrailers));
      response.end();
    });
    answer.once("close", () => {
      if (!answer.complete) {
        passage.broken = !this.over;
        response.destroy();
      }
      // Answered before the request was read to its end: this connection cannot be used again.
      if (!outgoing.writableEnded) outgoing.destroy();
      finish();
    });
    answer.on("error", () => response.destroy());
  }

  #watchTime(limit: number): void {
    const { request, response, clock } = this.#exchange;
    const check = () => {
      const idle = clock.now() - this.#lastPiece;
      // Time counts from the last piece of the request: a slow upload is not a slow answer.
      if (idle < limit) {
        this.#cancelTimer = clock.after(limit - idle, check);
        return;
      }
      answerError(request, response, 504, this.#late(limit));
      this.over = true;
      this.#current?.destroy();
    };
    this.#cancelTimer = clock.after(limit, check);
  }

  #late(limit: number | undefined): string {
    return `service ${this.#exchange.upstream.service} did not answer within ${(limit ?? 0) / 1000} s`;
  }
}
