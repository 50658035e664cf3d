/** Requests of 512 spans of 264 bytes, as services would send them: traces of eight spans, times of the moment. */
import { seededRandom } from "../../packages/ambient/src/index.ts";
import { encodeTraces } from "../../packages/telemetry/src/otlp/codec.ts";
import type { Span } from "../../packages/telemetry/src/otlp/types.ts";

export const spansOfRequest = 512;
const spansOfTrace = 8;
const services = ["storefront", "orders", "payments", "catalog", "gateway"];

/** A request that can be sent again and again, each time with other trace ids and times. */
export class SpanRequest {
  readonly bytes: Buffer;
  readonly #view: DataView;
  readonly #ids: number[] = [];
  readonly #times: number[] = [];

  /** `now`: ms since the epoch, as all times here. */
  constructor(seed: number, now: number) {
    this.bytes = Buffer.from(spansFor(seed, now));
    this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    // A span's trace id and its start are found by their tags and lengths, which nothing else here looks like.
    for (let at = this.bytes.indexOf(traceTag); at >= 0; at = this.bytes.indexOf(traceTag, at + 200))
      this.#ids.push(at + 2);
    for (const at of this.#ids) this.#times.push(this.bytes.indexOf(startTag, at) + 3);
    if (this.#ids.length !== spansOfRequest) throw new Error(`found ${this.#ids.length} spans`);
  }

  /** `round`: becomes part of the trace ids. `passed`: milliseconds by which all times grow. */
  renew(round: number, passed: number): Buffer {
    const nanoseconds = BigInt(Math.round(passed * 1e6));
    for (const at of this.#ids) this.#view.setUint32(at + 4, round, true);
    if (nanoseconds > 0n)
      for (const at of this.#times)
        for (const place of [at, at + 9])
          this.#view.setBigUint64(place, this.#view.getBigUint64(place, true) + nanoseconds, true);
    return this.bytes;
  }
}

const traceTag = Buffer.from([0x0a, 16]);
/** Kind, then the start's tag. */
const startTag = Buffer.from([0x30, 2, 0x39]);

function spansFor(seed: number, now: number): Uint8Array {
  const random = seededRandom(seed);
  const hex = (bytes: number) => Buffer.from(random.bytes(bytes)).toString("hex");
  const spans: Span[] = [];
  let traceId = "";
  let root: string | undefined;
  for (let index = 0; index < spansOfRequest; index++) {
    if (index % spansOfTrace === 0) {
      traceId = hex(16);
      root = undefined;
    }
    const spanId = hex(8);
    const start = BigInt(Math.floor(now)) * 1_000_000n + BigInt(Math.floor(random.next() * 2e6));
    const duration = BigInt(Math.floor(-Math.log(1 - random.next()) * 5e6));
    spans.push({
      traceId,
      spanId,
      ...(root && { parentSpanId: root }),
      name: `GET /api/things/${index % 11}`,
      kind: 2,
      startTimeUnixNano: String(start),
      endTimeUnixNano: String(start + duration),
      attributes: [
        { key: "http.request.method", value: { stringValue: "GET" } },
        { key: "url.path", value: { stringValue: `/api/things/${Math.floor(random.next() * 1e6)}` } },
        { key: "http.response.status_code", value: { intValue: "200" } },
        { key: "server.address", value: { stringValue: "shop.test" } },
        { key: "user_agent.original", value: { stringValue: "curl/8" } },
        { key: "thread.id", value: { intValue: String(index % 16) } },
      ],
      ...(random.next() < 0.01 && { status: { code: 2 } }),
      flags: 257,
    });
    root ??= spanId;
  }
  const service = services[seed % services.length] as string;
  const attributes = [
    { key: "service.name", value: { stringValue: service } },
    { key: "service.version", value: { stringValue: "1.2.3" } },
  ];
  return encodeTraces({
    resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope: { name: "bench" }, spans }] }],
  });
}
