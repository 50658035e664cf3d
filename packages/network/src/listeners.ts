/** The addresses that are listened on: opens what is wanted, closes what is not, tries again what failed, tells what fails. */
import type { Server } from "node:net";
import type { Cancel, Clock } from "@flotilla/ambient";
import { portHolder } from "./port-holder.ts";

export interface Wanted {
  readonly address: string;
  readonly port: number;
  /** Another kind at the same address is another listener. */
  readonly kind: string;
  /** A server that does not listen yet. */
  readonly open: () => Server;
}

interface Listener {
  readonly wanted: Wanted;
  server: Server | undefined;
  problem: string | undefined;
  retry: Cancel | undefined;
  failures: number;
}

const firstPause = 250;
const longestPause = 5000;

export class Listeners {
  readonly #clock: Clock;
  readonly #onChange: (problems: Readonly<Record<string, string>>) => void;
  readonly #listeners = new Map<string, Listener>();

  /** `onChange`: reasons by "address:port", whenever they are others than before. */
  constructor(clock: Clock, onChange: (problems: Readonly<Record<string, string>>) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Resolves when each new one listens or has failed once; those that failed are tried again on their own. */
  async want(wanted: readonly Wanted[]): Promise<void> {
    const byKey = new Map(wanted.map((each) => [`${each.address}:${each.port} ${each.kind}`, each]));
    for (const [key, listener] of this.#listeners) {
      if (byKey.has(key)) continue;
      this.#listeners.delete(key);
      this.#close(listener);
    }
    const fresh: Listener[] = [];
    for (const [key, each] of byKey) {
      if (this.#listeners.has(key)) continue;
      const listener = { wanted: each, server: undefined, problem: undefined, retry: undefined, failures: 0 };
      this.#listeners.set(key, listener);
      fresh.push(listener);
    }
    await Promise.all(fresh.map((listener) => this.#listen(listener)));
    this.#tell();
  }

  /** Connections that exist go on. */
  stop(): void {
    for (const listener of this.#listeners.values()) this.#close(listener);
    this.#listeners.clear();
  }

  #close({ server, retry }: Listener): void {
    retry?.();
    server?.close();
  }

  async #listen(listener: Listener): Promise<void> {
    const { address, port, open } = listener.wanted;
    const server = open();
    // Set before it listens, so that closing what is about to listen finds it.
    listener.server = server;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.once("close", resolve);
        server.listen({ host: address, port, exclusive: true, backlog: 1024 }, () => {
          server.off("error", reject);
          server.on("error", () => this.#failed(listener, "listening broke off"));
          resolve();
        });
      });
      listener.problem = undefined;
      listener.failures = 0;
    } catch (error) {
      this.#failed(listener, await explain(error as NodeJS.ErrnoException, address, port));
    }
  }

  #failed(listener: Listener, problem: string): void {
    listener.server = undefined;
    listener.problem = problem;
    const pause = Math.min(longestPause, firstPause * 2 ** listener.failures++);
    if (![...this.#listeners.values()].includes(listener)) return;
    const again = async () => {
      await this.#listen(listener);
      this.#tell();
    };
    listener.retry = this.#clock.after(pause, () => void again(), { background: true });
  }

  #last = "{}";

  #tell(): void {
    const problems: Record<string, string> = {};
    for (const { wanted, problem } of this.#listeners.values())
      if (problem !== undefined) problems[`${wanted.address}:${wanted.port}`] = problem;
    const text = JSON.stringify(problems);
    if (text === this.#last) return;
    this.#last = text;
    this.#onChange(problems);
  }
}

async function explain({ code, message }: NodeJS.ErrnoException, address: string, port: number): Promise<string> {
  const what = `cannot listen on ${address.includes(":") ? `[${address}]` : address}:${port}`;
  switch (code) {
    case "EADDRINUSE": {
      const holder = await portHolder(port);
      return `${what}: ${holder ? `a process listens on ${holder}:${port}, which covers every address; bind it to its own ($HOST)` : "another process listens there"}`;
    }
    case "EACCES":
    case "EPERM":
      return `${what}: ports below 1024 need a privilege that this process does not have; use a port from 1024 up`;
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
      return `${what}: this machine has no such address`;
    default:
      return `${what}: ${message}`;
  }
}
