/** A node: the real agent over simulated containers. */

import type { Simulation } from "@flotilla/ambient";
import type { Api, LogEntry } from "@flotilla/client";
import {
  type Agent,
  type Behaviour,
  type ContainerSpec,
  noPodFiles,
  simulatedRuntime,
  startAgent,
} from "@flotilla/node";
import { type Faults, FaultyApi } from "./faults.ts";

export interface NodeOptions {
  readonly name: string;
  /** The range that its pods' addresses come from. */
  readonly podCIDR: string;
  readonly api: Api;
  readonly world: Simulation;
  readonly faults: Required<Faults>;
  readonly behaviours: (spec: ContainerSpec) => Behaviour | undefined;
  readonly log: (entry: LogEntry) => void;
}

export class SimulatedNode {
  readonly name: string;
  readonly #api: FaultyApi;
  readonly #runtime: ReturnType<typeof simulatedRuntime>;
  readonly #agent: Promise<Agent>;

  constructor({ name, podCIDR, api, world, faults, behaviours, log }: NodeOptions) {
    this.name = name;
    const { clock, random } = world;
    // An agent that dies takes its containers with it: that is a lost node, a fault of its own.
    this.#api = new FaultyApi(api, world, { ...faults, crashes: 0 }, () => undefined);
    this.#runtime = simulatedRuntime({ clock, random, behaviours });
    const { checks, volumes, images } = this.#runtime;
    this.#agent = startAgent({
      api: this.#api,
      clock,
      random,
      runtime: this.#runtime,
      checks,
      volumes,
      images,
      files: noPodFiles,
      nodeName: name,
      podCIDR,
      stateDir: "/simulated",
      preload: false,
      log,
    });
  }

  /** The machine is gone with all its containers, and says nothing more. */
  async lose(): Promise<void> {
    this.#api.die();
    this.#runtime.crash();
    await (await this.#agent).crash();
  }
}

/** Containers that take their time to get ready and to end. Milliseconds. */
export const unhurried =
  ({ random }: Simulation) =>
  (): Behaviour => ({ readyAfter: 200 + 3800 * random.next(), stopsWithin: 100 + 2900 * random.next() });
