/** A request's body on its way to an endpoint, with back-pressure; a short one is kept so that it can be sent again. */
import type { ClientRequest, IncomingMessage } from "node:http";
import { hasBody } from "./error-answer.ts";
import { trailers } from "./headers.ts";

const mostKept = 64 * 1024;

export class RequestBody {
  readonly #request: IncomingMessage;
  readonly #keep: boolean;
  #kept: Buffer[] = [];
  #size = 0;
  #started = false;
  #detach: (() => void) | undefined;
  readonly exists: boolean;
  /** Called at each piece, for time-outs that count from the last one. */
  onProgress: () => void = () => undefined;

  /** `keep`: it may be sent twice. */
  constructor(request: IncomingMessage, keep: boolean) {
    this.#request = request;
    this.#keep = keep;
    this.exists = hasBody(request);
  }

  /** All that was read is kept, or nothing was read. */
  get replayable(): boolean {
    return !this.#started || (this.#keep && this.#size <= mostKept);
  }

  get complete(): boolean {
    return !this.exists || this.#request.complete;
  }

  /** Sends what is kept and then what comes. Nothing of the body is read before. */
  sendTo(upstream: ClientRequest): void {
    if (!this.exists) {
      upstream.end();
      return;
    }
    this.#started = true;
    for (const chunk of this.#kept) upstream.write(chunk);
    const request = this.#request;
    const onData = (chunk: Buffer) => {
      this.#note(chunk);
      if (!upstream.write(chunk)) request.pause();
    };
    const onDrain = () => void request.resume();
    const onEnd = () => {
      if (request.rawTrailers.length > 0) upstream.addTrailers(trailers(request.rawTrailers));
      upstream.end();
    };
    this.detach();
    if (request.readableEnded) {
      onEnd();
      return;
    }
    request.on("data", onData);
    request.on("end", onEnd);
    upstream.on("drain", onDrain);
    request.resume();
    this.#detach = () => {
      request.off("data", onData);
      request.off("end", onEnd);
      upstream.off("drain", onDrain);
      request.pause();
    };
  }

  /** Stops sending; nothing is lost of what comes. */
  detach(): void {
    this.#detach?.();
    this.#detach = undefined;
  }

  /** Lets what still comes go nowhere, so that the connection can carry the next request. */
  discard(): void {
    this.detach();
    this.#kept = [];
    this.#request.resume();
  }

  #note(chunk: Buffer): void {
    this.onProgress();
    this.#size += chunk.length;
    if (!this.#keep) return;
    if (this.#size <= mostKept) this.#kept.push(chunk);
    else this.#kept = [];
  }
}
