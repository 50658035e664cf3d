/**
 * What both receivers do with a request once its bytes are there, and what they hold back until then. Decompressing, decoding
 * and taking run in one go, so that however many requests come at once, only one of them is ever larger than it was sent.
 */
import { gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";
import { isLocalName } from "../local-name.ts";
import { type Losses, MalformedError, type Signal, type Sink, type Taken, UnavailableError } from "../sink.ts";
import { encodeLogs, encodeMetrics, encodeTraces } from "./codec.ts";
import { parseJson } from "./json.ts";

export interface IntakeLimits {
  /** Bytes of one request, as sent and decompressed. */
  readonly request: number;
  /** Of one that is JSON, which takes ten times that as objects. */
  readonly json: number;
  /** Bytes of all requests that have begun to arrive, as sent. */
  readonly inFlight: number;
  /** Of one receiver. */
  readonly connections: number;
  /** Milliseconds until a request's headers, and all of it, must have come. */
  readonly headersTime: number;
  readonly requestTime: number;
  /** Milliseconds for which a connection may be open without a request. */
  readonly idleTime: number;
}

export const defaultIntakeLimits: IntakeLimits = {
  request: 8 * 2 ** 20,
  json: 4 * 2 ** 20,
  inFlight: 16 * 2 ** 20,
  connections: 1024,
  headersTime: 10_000,
  requestTime: 30_000,
  idleTime: 120_000,
};

export interface IntakeOptions {
  readonly sink: Sink;
  /** Counts the requests that were refused; what is rejected of a request that is taken is the sink's to count. */
  readonly losses: Losses;
  readonly limits?: Partial<IntakeLimits>;
  /** Names under which the receivers may be addressed, besides addresses and localhost. */
  readonly names?: readonly string[];
  /** Is told of faults of our own, which senders are not. */
  readonly onError: (error: unknown) => void;
  /** Collects what is young of the garbage, if this process can. */
  readonly collectGarbage?: () => void;
}

export type Format = "protobuf" | "json";

export type Refusal =
  | "malformed"
  | "too large"
  /** For now: after `retryAfter` it may be taken. */
  | "unavailable"
  | "unsupported"
  | "internal";

export type Outcome =
  | { readonly taken: Taken }
  | { readonly refused: Refusal; readonly message: string; readonly retryAfter?: number };

/** Milliseconds; by then the requests of the moment are through. */
const crowdedFor = 1000;

/**
 * Bytes. What a socket receives lies outside of V8's heap, which looks for garbage when its own is full: some 60 MB were seen to pile
 * up before.
 */
const mostGarbage = 8 * 2 ** 20;

/** Bytes; larger requests are rare. */
const largestKept = 2 ** 20;

export class Intake {
  readonly limits: IntakeLimits;
  readonly #options: IntakeOptions;
  #inFlight = 0;
  #received = 0;
  #joined: Buffer = Buffer.alloc(0);

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.limits = { ...defaultIntakeLimits, ...options.limits };
  }

  /** Bytes of requests that are being received. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Makes room for bytes that came. Undefined: they may be kept until `release`. */
  reserve(signal: Signal, bytes: number): Outcome | undefined {
    if (this.#inFlight + bytes > this.limits.inFlight) {
      const message = `requests of more than ${this.limits.inFlight} bytes are being received`;
      return this.refuse(signal, "unavailable", message, crowdedFor);
    }
    this.#inFlight += bytes;
    return undefined;
  }

  release(bytes: number): void {
    this.#inFlight -= bytes;
  }

  /** Says that so many bytes came, whatever becomes of them. */
  received(bytes: number): void {
    this.#received += bytes;
    if (this.#received < mostGarbage) return;
    this.#received = 0;
    this.#options.collectGarbage?.();
  }

  tooLarge(signal: Signal, most = this.limits.request): Outcome {
    return this.refuse(signal, "too large", `the request is larger than ${most} bytes; send less at once`);
  }

  refuse(signal: Signal, refused: Refusal, message: string, retryAfter?: number): Outcome {
    this.#options.losses.add(signal, `request ${refused}`);
    return { refused, message, retryAfter };
  }

  /** For faults of a receiver itself, such as that no more connections can be accepted: it goes on with those it has. */
  fault(error: unknown): void {
    this.#options.onError(error);
  }

  /** Hands a whole request to the sink. Never throws. */
  take(signal: Signal, body: Uint8Array, format: Format, compression: string | undefined): Outcome {
    try {
      const bytes = this.#decompress(body, compression);
      if (format === "json" && bytes.length > this.limits.json) return this.tooLarge(signal, this.limits.json);
      return { taken: this.#options.sink[signal](format === "json" ? recode(signal, bytes) : bytes) };
    } catch (error) {
      if (error instanceof MalformedError) return this.refuse(signal, "malformed", error.message);
      if (error instanceof UnavailableError) return this.refuse(signal, "unavailable", error.message, error.retryAfter);
      if (error instanceof TooLargeError) return this.tooLarge(signal);
      if (error instanceof UnsupportedError) return this.refuse(signal, "unsupported", error.message);
      this.#options.onError(error);
      return this.refuse(signal, "internal", "the request could not be taken, which is no fault of its own");
    }
  }

  /** The whole of what came in parts, until the next call: the same memory serves them all. */
  join(parts: readonly Buffer[]): Uint8Array {
    const [first] = parts;
    if (first && parts.length === 1) return first;
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    // Garbage of this size would pile up for long before it is collected.
    if (size > this.#joined.length) {
      const joined = Buffer.concat(parts, size);
      if (size <= largestKept) this.#joined = joined;
      return joined;
    }
    let at = 0;
    for (const part of parts) at += part.copy(this.#joined, at);
    return this.#joined.subarray(0, size);
  }

  #decompress(body: Uint8Array, compression = "identity"): Uint8Array {
    if (compression === "identity" || compression === "") return body;
    const decompress = decompressors.get(compression);
    if (!decompress) throw new UnsupportedError(`compression ${compression} is not one of ${compressions.join(", ")}`);
    // Attributes repeat: what comes out is often ten times as large.
    const chunkSize = Math.min(Math.max(body.length * 8, 16_384), 2 ** 20);
    try {
      return decompress(body, { maxOutputLength: this.limits.request, chunkSize });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw new TooLargeError();
      throw new MalformedError(`not ${compression}: ${(error as Error).message}`);
    }
  }

  /** Whether a request may have been meant for us, see `isLocalName`. */
  isOurName(authority: string | undefined): boolean {
    return isLocalName(authority, this.#options.names);
  }
}

class TooLargeError extends Error {}
class UnsupportedError extends Error {}

type Decompress = (bytes: Uint8Array, options: { maxOutputLength: number; chunkSize: number }) => Buffer;

const decompressors: ReadonlyMap<string, Decompress> = new Map<string, Decompress>([
  ["gzip", gunzipSync],
  ["deflate", inflateSync],
  ["zstd", zstdDecompressSync],
]);

export const compressions: readonly string[] = ["identity", ...decompressors.keys()];

const decoder = new TextDecoder("utf-8", { fatal: true });

function recode(signal: Signal, bytes: Uint8Array): Uint8Array {
  const text = utf8(bytes);
  if (signal === "traces") return encodeTraces(parseJson(signal, text));
  if (signal === "metrics") return encodeMetrics(parseJson(signal, text));
  return encodeLogs(parseJson(signal, text));
}

function utf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new MalformedError("not UTF-8");
  }
}
