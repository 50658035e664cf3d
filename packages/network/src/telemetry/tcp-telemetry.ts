/** Connections of Services that are not HTTP: how many, by whom, and what they carry. Bytes of those that are open count, too. */
import type { Socket } from "node:net";
import type { Upstream, UpstreamEndpoint } from "../upstream.ts";
import type { Counter } from "./meter.ts";
import type { RequestTelemetry } from "./request-telemetry.ts";

interface Open {
  readonly client: Socket;
  readonly labels: readonly string[];
  read: number;
  written: number;
}

const who = ["caller", "service", "app", "version", "namespace"];

export class TcpTelemetry {
  readonly #telemetry: RequestTelemetry;
  readonly #connections: Counter;
  readonly #bytes: Counter;
  readonly #open = new Set<Open>();

  constructor(telemetry: RequestTelemetry) {
    this.#telemetry = telemetry;
    const { meter } = telemetry;
    this.#connections = meter.counter({
      name: "flotilla.tcp.connections",
      unit: "{connection}",
      description: "Connections that were joined to an endpoint, or for which there was none (result failed).",
      labels: [...who, "result"],
    });
    this.#bytes = meter.counter({
      name: "flotilla.tcp.io",
      unit: "By",
      description: "Bytes that the caller sent and received.",
      labels: [...who, "direction"],
    });
    meter.observe(
      {
        name: "flotilla.tcp.connections.active",
        unit: "{connection}",
        description: "Connections that are open.",
        labels: who,
      },
      false,
      () => this.#observe(),
    );
  }

  joined(client: Socket, upstream: Upstream, endpoint: UpstreamEndpoint): void {
    const labels = this.#labels(client, upstream, endpoint);
    this.#connections.add([...labels, "ok"]);
    const open: Open = { client, labels, read: 0, written: 0 };
    this.#open.add(open);
    client.once("close", () => {
      this.#count(open);
      this.#open.delete(open);
    });
  }

  failed(client: Socket, upstream: Upstream): void {
    this.#connections.add([...this.#labels(client, upstream, undefined), "failed"]);
  }

  #labels(client: Socket, { name, app, namespace }: Upstream, endpoint: UpstreamEndpoint | undefined): string[] {
    const caller = this.#telemetry.podAt(client.remoteAddress)?.service ?? "";
    return [caller, name, app, this.#telemetry.podAt(endpoint?.address)?.version ?? "", namespace];
  }

  #count(open: Open): void {
    const { client, labels } = open;
    const { bytesRead, bytesWritten } = client;
    if (bytesRead > open.read) this.#bytes.add([...labels, "sent"], bytesRead - open.read);
    if (bytesWritten > open.written) this.#bytes.add([...labels, "received"], bytesWritten - open.written);
    open.read = bytesRead;
    open.written = bytesWritten;
  }

  *#observe() {
    const counts = new Map<string, { labels: readonly string[]; value: number }>();
    for (const open of this.#open) {
      this.#count(open);
      const key = open.labels.join("\0");
      const count = counts.get(key);
      if (count) count.value++;
      else counts.set(key, { labels: open.labels, value: 1 });
    }
    yield* counts.values();
  }
}
