/** To where telemetry is forwarded at the moment: nowhere at first, then wherever the App says. */
import { isDeepStrictEqual } from "node:util";
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
  /** `startForwarder` if not given. */
  readonly start?: typeof startForwarder;
}

export class Forwarding {
  readonly #options: ForwardingOptions;
  #forwarder: Forwarder | undefined;
  #destination: { readonly endpoint: string; readonly headers?: Readonly<Record<string, string>> } | undefined;

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

  /**
   * What waits for the last destination is sent there still, for a moment; the same destination again changes nothing. A Secret
   * that is missing is an error.
   */
  async to(stated: Destination | undefined): Promise<void> {
    const { api, clock, random, losses, start = startForwarder } = this.#options;
    const headers = stated?.headers && (await secretHeaders(api, stated.headers));
    const destination = stated && { endpoint: stated.endpoint, ...(headers && { headers }) };
    if (isDeepStrictEqual(destination, this.#destination)) return;
    const last = this.#forwarder;
    this.#forwarder = destination && start({ ...destination, clock, random, losses });
    this.#destination = destination;
    await last?.close();
  }

  async close(): Promise<void> {
    await this.#forwarder?.close();
  }
}
