/** The idle connections to one endpoint, which never outlive the server's patience. */
import { Agent } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "@flotilla/ambient";

/** Below the 5 s after which a Node.js server closes an idle connection, so that we are the one who does. A server that announces less gets less. */
const idleLimit = 4000;
/** A request that must not be sent twice takes no connection that was idle for longer. */
const freshFor = 1000;

export class EndpointPool extends Agent {
  readonly #clock: Clock;
  readonly #idleSince = new WeakMap<Duplex, number>();

  constructor(clock: Clock) {
    // `timeout` closes idle connections only; busy ones merely emit an event that nobody listens to.
    super({ keepAlive: true, timeout: idleLimit, maxSockets: Number.POSITIVE_INFINITY });
    this.#clock = clock;
  }

  /** All of its connections are alike. */
  override getName(): string {
    return "endpoint";
  }

  override keepSocketAlive(socket: Duplex): boolean {
    this.#idleSince.set(socket, this.#clock.now());
    return super.keepSocketAlive(socket) as unknown as boolean;
  }

  /** Idle connections are closed now, busy ones when their request has been answered; until `resume`. */
  drain(): void {
    (this as { keepAlive?: boolean }).keepAlive = false;
    this.#closeIdle(0);
  }

  resume(): void {
    (this as { keepAlive?: boolean }).keepAlive = true;
  }

  closeStale(): void {
    this.#closeIdle(freshFor);
  }

  #closeIdle(atLeast: number): void {
    const now = this.#clock.now();
    // The one that was put back last is taken first, so the others follow by age.
    for (const socket of [...(this.freeSockets.endpoint ?? [])]) {
      if (now - (this.#idleSince.get(socket) ?? 0) < atLeast) return;
      socket.destroy();
    }
  }
}
