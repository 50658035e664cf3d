/** What goes wrong between a process and its API, by the simulation's chance. */
import { type Simulation, sleep } from "@flotilla/ambient";
import type { Api, ListOptions, NamespacedName, WatchEvent, WatchOptions, Write } from "@flotilla/client";
import { expired, type KubeObject, type Resource, serviceUnavailable, timeout } from "@flotilla/objects";

/** Probabilities from 0 to 1, times in milliseconds. */
export interface Faults {
  /** A request takes up to this long on its way there, and on its way back. */
  readonly latency?: number;
  /** A write that is refused before it takes effect. */
  readonly failedWrites?: number;
  /** A write that takes effect, and whose answer is lost. */
  readonly lostAnswers?: number;
  /** A read or the beginning of a watch that fails. */
  readonly failedReads?: number;
  /** Changes reach a watch up to this late: caches are stale. */
  readonly watchDelay?: number;
  /** Of each change: the watch ends before it is delivered. */
  readonly droppedWatches?: number;
  /** Of a dropped watch: its version is forgotten, too. */
  readonly forgottenVersions?: number;
  /** Of each write: the process dies, before or after it takes effect. */
  readonly crashes?: number;
}

export const noFaults: Required<Faults> = {
  latency: 0,
  failedWrites: 0,
  lostAnswers: 0,
  failedReads: 0,
  watchDelay: 0,
  droppedWatches: 0,
  forgottenVersions: 0,
  crashes: 0,
};

/** Enough that a run of some minutes meets each of them. */
export const badWeather: Required<Faults> = {
  latency: 20,
  failedWrites: 0.05,
  lostAnswers: 0.05,
  failedReads: 0.02,
  watchDelay: 300,
  droppedWatches: 0.02,
  forgottenVersions: 0.3,
  crashes: 0.02,
};

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** One process's way to the API. After its death nothing is answered any more. */
export class FaultyApi implements Api {
  readonly #api: Api;
  readonly #world: Simulation;
  readonly #faults: Required<Faults>;
  readonly #onCrash: () => void;
  #dead = false;

  constructor(api: Api, world: Simulation, faults: Required<Faults>, onCrash: () => void) {
    this.#api = api;
    this.#world = world;
    this.#faults = faults;
    this.#onCrash = onCrash;
  }

  /** The process is gone; what it has sent may still arrive. */
  die(): void {
    this.#dead = true;
  }

  get<T extends KubeObject>(resource: Resource<T>, key: NamespacedName): Promise<T> {
    return this.#read(() => this.#api.get(resource, key));
  }

  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions) {
    return this.#read(() => this.#api.list(resource, options));
  }

  async *watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions = {}): AsyncGenerator<WatchEvent<T>> {
    await this.#travel();
    if (this.#happens("failedReads")) throw serviceUnavailable("the watch could not begin");
    for await (const event of this.#api.watch(resource, options)) {
      await this.#wait("watchDelay");
      if (this.#dead) return never();
      if (options.signal?.aborted) return;
      if (this.#happens("droppedWatches")) {
        if (this.#happens("forgottenVersions")) throw expired("too old resource version");
        return;
      }
      yield event;
    }
  }

  async write<T extends KubeObject>(write: Write<T>): Promise<T> {
    await this.#travel();
    if (this.#crashes()) return never();
    if (this.#happens("failedWrites")) throw serviceUnavailable("the write was refused");
    // It arrives, whether or not its sender lives to see it.
    const answer = await this.#api.write(write);
    if (this.#crashes()) return never();
    await this.#travel();
    if (this.#happens("lostAnswers")) throw timeout("the answer was lost");
    return answer;
  }

  async #read<T>(read: () => Promise<T>): Promise<T> {
    await this.#travel();
    if (this.#happens("failedReads")) throw serviceUnavailable("the read failed");
    const answer = await read();
    await this.#travel();
    return answer;
  }

  async #travel(): Promise<void> {
    await this.#wait("latency");
    if (this.#dead) return never();
  }

  async #wait(how: "latency" | "watchDelay"): Promise<void> {
    const most = this.#faults[how];
    if (most > 0) await sleep(this.#world.clock, most * this.#world.random.next());
  }

  #happens(fault: keyof Faults): boolean {
    const chance = this.#faults[fault];
    return chance > 0 && this.#world.random.next() < chance;
  }

  #crashes(): boolean {
    if (this.#dead || !this.#happens("crashes")) return this.#dead;
    this.die();
    this.#onCrash();
    return true;
  }
}
