/** A simulated process that runs controllers: it can die at any write, and is started again. */
import type { Simulation } from "@flotilla/ambient";
import { type Api, type Controller, type Effects, type LogEntry, type Running, runControllers } from "@flotilla/client";
import type { Resource } from "@flotilla/objects";
import { type Faults, FaultyApi } from "./faults.ts";

/** Between its death and the next start. Milliseconds. */
const restartTakes = 2000;

export interface ProcessOptions {
  readonly api: Api;
  readonly world: Simulation;
  /** Asked at every start, so that faults can end. */
  readonly faults: () => Required<Faults>;
  readonly resources: () => readonly Resource[];
  /** Called at every start, with the process's own way to the API. */
  readonly controllers: (api: Api) => { controllers: readonly Controller[]; effects?: Effects };
  readonly log: (entry: LogEntry) => void;
}

export class SimulatedProcess {
  readonly #options: ProcessOptions;
  #api: FaultyApi | undefined;
  #running: Running | undefined;
  #stopped = false;
  crashes = 0;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.#start();
  }

  /** Dies now, and comes back. */
  crash(): void {
    this.#api?.die();
    this.#died();
  }

  /** For good, without any goodbye. */
  kill(): void {
    this.#stopped = true;
    this.#api?.die();
    void this.#running?.stop();
  }

  #start(): void {
    const { api, world, faults, resources, controllers, log } = this.#options;
    this.#api = new FaultyApi(api, world, faults(), () => this.#died());
    const { clock, random } = world;
    this.#running = runControllers({
      ...controllers(this.#api),
      api: this.#api,
      clock,
      random,
      log,
      resources: async () => resources(),
    });
  }

  #died(): void {
    this.crashes++;
    // What is left of it waits for answers that never come.
    void this.#running?.stop();
    this.#options.world.clock.after(restartTakes, () => {
      if (!this.#stopped) this.#start();
    });
  }
}
