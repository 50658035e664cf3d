/** To where telemetry is forwarded at the moment: nowhere at first, then wherever the App says. */
import type { Clock, Random } from "@flotilla/ambient";
import type { TelemetrySettings } from "@flotilla/app";
import type { Api, Log } from "@flotilla/client";
import { type Forwarder, type ForwardState, type Losses, type Signal, startForwarder } from "@flotilla/telemetry";
import { secretHeaders } from "./secret-headers.ts";

type Destination = NonNullable<TelemetrySettings["forward"]>;

export interface ForwardingOptions {
  readonly api: Pick<Api, "get">;
  readonly clock: Clock;
  readonly random: Random;
  readonly losses: Losses;
  readonly log: Log;
}

export class Forwarding {
  readonly #options: ForwardingOptions;
  #forwarder: Forwarder | undefined;

  constructor(options: ForwardingOptions) {
    this.#options = options;
  }

  send(signal: Signal, request: Uint8Array): void {
    this.#forwarder?.send(signal, request);
  }

  /** Undefined: nothing is forwarded. */
  get state(): ForwardState | undefined {
    return this.#forwarder?.state();
  }

  /** What waits for the last destination is sent there still, for a moment. A Secret that is missing is an error. */
  async to(destination: Destination | undefined): Promise<void> {
    const { api, clock, random, losses } = this.#options;
    const headers = destination?.headers && (await secretHeaders(api, destination.headers));
    const last = this.#forwarder;
    this.#forwarder =
      destination &&
      startForwarder({ endpoint: destination.endpoint, clock, random, losses, ...(headers && { headers }) });
    await last?.close();
  }

  async close(): Promise<void> {
    await this.#forwarder?.close();
  }
}
