/**
 * Sends encoded OTLP requests over one kept connection. A request that fails is answered with how, and nothing is printed.
 *
 * At the end of a process there is no more time for a request to be answered: then it is written to the idle connection at once,
 * by the system call itself.
 */
import { writeSync } from "node:fs";
import type { Agent, ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { type Clock, systemStopwatch } from "@flotilla/ambient";
import type { Destination } from "./settings.ts";

/** "refused": never try again. "away": the same may be taken later. */
export type Outcome = "taken" | "refused" | "away";

/** Milliseconds that an ending process may be held up. */
const lastWordWithin = 300;

/** Answers that ask for another try. Source: opentelemetry.io/docs/specs/otlp, "Retryable Response Codes". */
const retryable = new Set([429, 502, 503, 504]);

export class Exporter {
  readonly #destination: Destination;
  /** Runs what makes a connection or request so that it is not traced itself. */
  readonly #untraced: <T>(run: () => T) => T;
  readonly #clock: Clock;
  #agent: Agent | undefined;
  /** Of the request under way, as long as the system has not got it. */
  #unwritten: Uint8Array | undefined;

  constructor(destination: Destination, untraced: <T>(run: () => T) => T, clock: Clock) {
    this.#destination = destination;
    this.#untraced = untraced;
    this.#clock = clock;
  }

  /** `done` is called once. The process does not stay alive for it; with `keepAlive` it does for a moment. */
  send(body: Uint8Array, done: (outcome: Outcome) => void, keepAlive = false): void {
    let open = true;
    const once = (outcome: Outcome) => {
      if (!open) return;
      open = false;
      this.#unwritten = undefined;
      done(outcome);
    };
    try {
      const request = this.#untraced(() => this.#request(body.byteLength));
      request.on("socket", (socket) => {
        if (!keepAlive) return socket.unref();
        socket.ref();
        this.#clock.after(lastWordWithin, () => socket.unref(), { background: true });
      });
      request.on("response", (response) => {
        const { statusCode = 0 } = response;
        // What it says is of no interest, but unread it would keep the connection from being used again.
        response.resume();
        response.on("error", () => once("away"));
        response.on("end", () => once(statusCode < 300 ? "taken" : retryable.has(statusCode) ? "away" : "refused"));
      });
      request.on("error", () => once("away"));
      request.on("close", () => once("away"));
      request.on("timeout", () => request.destroy());
      request.on("finish", () => {
        this.#unwritten = undefined;
      });
      this.#unwritten = body;
      request.end(body);
    } catch {
      // A header that cannot be sent, say: no other try would go better.
      once("refused");
    }
  }

  /** What is under way and these; answers whether the connection took them. They are read when this process is gone. */
  sendAtExit(body: Uint8Array | undefined): boolean {
    const bodies = [this.#unwritten, body].filter((each) => each !== undefined);
    if (bodies.length === 0) return true;
    const { freeSockets = {}, sockets = {} } = this.#agent ?? {};
    const [fd] = [...Object.values(freeSockets), ...Object.values(sockets)].flat().flatMap(descriptorOf);
    return (
      fd !== undefined && writeAll(fd, Buffer.concat(bodies.flatMap((each) => [this.#head(each.byteLength), each])))
    );
  }

  #head(length: number): Buffer {
    const { url } = this.#destination;
    const headers = Object.entries(this.#headers(length)).map(([name, value]) => `${name}: ${value}\r\n`);
    const text = `POST ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n${headers.join("")}\r\n`;
    return Buffer.from(text, "latin1");
  }

  #request(length: number): ClientRequest {
    const { url, timeout } = this.#destination;
    // Loaded with the first span: programs without one never need it.
    const http = require(url.protocol === "https:" ? "node:https" : "node:http") as typeof import("node:http");
    this.#agent ??= new http.Agent({ keepAlive: true, maxSockets: 1 });
    return http.request(url, { method: "POST", agent: this.#agent, timeout, headers: this.#headers(length) });
  }

  #headers(length: number): Record<string, string> {
    const { format, headers } = this.#destination;
    return {
      "content-type": format === "json" ? "application/json" : "application/x-protobuf",
      "content-length": String(length),
      ...headers,
    };
  }
}

/** None where bytes cannot be written past the socket: with TLS, before it is connected, or amid another request. */
function descriptorOf(socket: Socket | undefined): number[] {
  if (!socket || "encrypted" in socket || socket.connecting || socket.writableLength > 0) return [];
  const { fd = -1 } = (socket as unknown as { _handle?: { fd?: number } })._handle ?? {};
  return fd < 0 ? [] : [fd];
}

function writeAll(fd: number, bytes: Buffer): boolean {
  const until = systemStopwatch() + lastWordWithin;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || systemStopwatch() > until) return false;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  return true;
}
