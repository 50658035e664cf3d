/** Somebody who takes OTLP over HTTP, for tests: keeps what came, says what it is told to say. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { attribute } from "../../../telemetry/src/attributes.ts";
import { decodeMetrics, decodeTraces } from "../../../telemetry/src/otlp/codec.ts";
import type { Metric, Span } from "../../../telemetry/src/otlp/types.ts";

export class Receiver {
  readonly spans: (Span & { resource: string | undefined })[] = [];
  /** Of the last request. */
  metrics: Metric[] = [];
  requests = 0;
  /** What is answered. */
  status = 200;
  #server: Server | undefined;
  #port = 0;

  async start(): Promise<void> {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      this.requests++;
      if (this.status === 200) this.#take(request.url ?? "", Buffer.concat(chunks));
      response.writeHead(this.status).end();
    });
    await new Promise<void>((resolve) => this.#server?.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** At the same address when it starts again. */
  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  #take(path: string, body: Uint8Array): void {
    if (path === "/v1/metrics")
      this.metrics = (decodeMetrics(body).resourceMetrics ?? []).flatMap(({ scopeMetrics = [] }) =>
        scopeMetrics.flatMap(({ metrics = [] }) => metrics),
      );
    for (const { resource, scopeSpans = [] } of path === "/v1/traces" ? (decodeTraces(body).resourceSpans ?? []) : [])
      for (const { spans = [] } of scopeSpans)
        for (const span of spans)
          this.spans.push({ ...span, resource: attribute(resource?.attributes, "service.name") });
  }

  /** Labels of the newest points of a metric, with their values: a number, or a histogram's count. */
  points(name: string): [Record<string, string>, number][] {
    const metric = this.metrics.find((each) => each.name === name);
    const numbers = [...(metric?.sum?.dataPoints ?? []), ...(metric?.gauge?.dataPoints ?? [])];
    const histograms = metric?.exponentialHistogram?.dataPoints ?? [];
    const newest = new Map<string, [Record<string, string>, number]>();
    for (const point of [...numbers, ...histograms]) {
      const labels = Object.fromEntries(
        (point.attributes ?? []).map(({ key, value }) => [key, value?.stringValue ?? ""]),
      );
      const value = "count" in point ? Number(point.count) : (point as { asDouble?: number }).asDouble;
      newest.set(JSON.stringify(labels), [labels, value ?? 0]);
    }
    return [...newest.values()];
  }
}

/** Attributes as one line each, in order of their keys. */
export const lines = (span: Pick<Span, "attributes">): string[] =>
  (span.attributes ?? [])
    .map(
      ({ key, value = {} }) => `${key}=${value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue}`,
    )
    .sort();

export const attributeOf = ({ attributes }: Pick<Span, "attributes">, key: string): string | undefined =>
  attribute(attributes, key);
