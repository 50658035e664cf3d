/**
 * A whole cluster in one process and on a simulated clock: the real control plane, the real controllers, simulated nodes.
 * Everything that happens follows from the seed; an error says it.
 */
import { type Simulation, simulation } from "@flotilla/ambient";
import { type ControlPlane, createControlPlane, memoryPersistence } from "@flotilla/apiserver";
import {
  type Api,
  type Controller,
  type Effects,
  type LogEntry,
  type Query,
  resourceOfObject,
  type Write,
} from "@flotilla/client";
import type { Behaviour, ContainerSpec } from "@flotilla/node";
import type { KubeObject, Resource } from "@flotilla/objects";
import { ownerReads, ownerReadsName, workloadControllers } from "@flotilla/workloads";
import { type Faults, noFaults } from "./faults.ts";
import { SimulatedProcess } from "./process.ts";
import { SimulatedNode, unhurried } from "./simulated-node.ts";

export interface SimulatedClusterOptions {
  readonly seed: number;
  /** Left out: nothing goes wrong. */
  readonly faults?: Faults;
  /** How many; default two. */
  readonly nodes?: number;
  /** Beside those of package workloads. */
  readonly controllers?: readonly Controller[];
  /** Where the effects of these controllers go. */
  readonly effects?: (api: Api, world: Simulation) => Effects;
  /** What each container does at its start; default: `unhurried`. */
  readonly behaviours?: (spec: ContainerSpec) => Behaviour | undefined;
}

/** Says what is wrong with the state, or nothing. Reads through `list`. */
export type Invariant = (cluster: Pick<SimulatedCluster, "list" | "get">) => string | undefined;

export class SimulatedCluster {
  readonly world: Simulation;
  /** Without faults, as an administrator's. Its answers come while the clock runs: see `run`. */
  readonly api: Api;
  readonly nodes: SimulatedNode[] = [];
  readonly log: LogEntry[] = [];
  readonly #seed: number;
  readonly #plane: ControlPlane;
  readonly #controllers: SimulatedProcess;
  readonly #invariants: Invariant[] = [];
  readonly #behaviours: (spec: ContainerSpec) => Behaviour | undefined;
  #faults: Required<Faults>;
  #broken: string | undefined;

  /** For `simulatedCluster`. */
  constructor(world: Simulation, plane: ControlPlane, options: SimulatedClusterOptions) {
    const { seed, faults, nodes = 2, controllers = [], effects, behaviours = unhurried(world) } = options;
    this.world = world;
    this.#behaviours = behaviours;
    this.#plane = plane;
    this.#seed = seed;
    this.#faults = { ...noFaults, ...faults };
    this.api = plane.api();
    const shared = {
      world,
      faults: () => this.#faults,
      resources: () => plane.registry.resources(),
      log: (entry: LogEntry) => void this.log.push(entry),
    };
    this.#follow();
    this.#controllers = new SimulatedProcess({
      ...shared,
      api: plane.api(undefined, "controllers"),
      controllers(api) {
        const reads = ownerReads(api);
        const workloads = workloadControllers({ volumesRoot: "/volumes", clusterCA: "", ownerReads: reads });
        return {
          controllers: [...workloads, ...controllers],
          effects: { ...effects?.(api, world), [ownerReadsName]: reads.read },
        };
      },
    });
    for (let n = 1; n <= nodes; n++) this.addNode(`node-${n}`);
  }

  /** A new machine joins. */
  addNode(name: string): SimulatedNode {
    const { world } = this;
    const node = new SimulatedNode({
      name,
      world,
      podCIDR: `10.244.${this.nodes.length}.0/24`,
      api: this.#plane.api(undefined, "kubelet"),
      faults: this.#faults,
      behaviours: this.#behaviours,
      log: (entry) => void this.log.push(entry),
    });
    this.nodes.push(node);
    return node;
  }

  /** How often the controllers' process has died. */
  get crashes(): number {
    return this.#controllers.crashes;
  }

  /** What the API has, without waiting. */
  list<T extends KubeObject>(resource: Resource<T>, query: Pick<Query<T>, "namespace" | "where"> = {}): T[] {
    const items = this.#plane.registry.list(resource, { namespace: query.namespace }).items as T[];
    return items.filter((object) => query.where?.(object) ?? true);
  }

  get<T extends KubeObject>(resource: Resource<T>, name: string, namespace = "default"): T | undefined {
    return this.list(resource, {
      where: ({ metadata }) => metadata.name === name && (metadata.namespace ?? namespace) === namespace,
    })[0];
  }

  /** Lets the clock run until the promise settles. */
  async run<T>(promise: Promise<T>): Promise<T> {
    return drive(this.world, promise);
  }

  /** Creates what is missing and replaces the rest, as an administrator. */
  async apply(...objects: readonly KubeObject[]): Promise<void> {
    for (const object of objects) {
      const write: Write = {
        resource: resourceOfObject(object),
        verb: "patch",
        type: "apply",
        name: object.metadata.name,
        namespace: object.metadata.namespace,
        patch: object,
        fieldManager: "test",
        force: true,
      };
      await this.run(this.api.write(write));
    }
    this.#check();
  }

  async delete(object: KubeObject): Promise<void> {
    const { name, namespace } = object.metadata;
    await this.run(this.api.write({ resource: resourceOfObject(object), verb: "delete", name, namespace }));
  }

  /** Checked after every commit from now on; the first that fails is what `until` and `advance` throw. */
  invariant(holds: Invariant): void {
    this.#invariants.push(holds);
    this.#test();
  }

  /** Runs until `holds`, or throws after `limit` milliseconds of the cluster's time. */
  async until(what: string, holds: () => boolean, limit: number): Promise<void> {
    const held = await this.world.until(() => this.#broken !== undefined || holds(), limit);
    this.#check();
    if (!held) throw this.#error(`not within ${limit / 1000} s: ${what}`);
  }

  async advance(ms: number): Promise<void> {
    await this.world.advance(ms);
    this.#check();
  }

  /** From now on only these go wrong; processes that run already go on as before until `crash`. */
  setFaults(faults: Faults): void {
    this.#faults = { ...noFaults, ...faults };
  }

  /** The controllers' process dies, and comes back after two seconds. */
  crash(): void {
    this.#controllers.crash();
  }

  #follow(): void {
    const { registry } = this.#plane;
    const watched = new Set<string>();
    const follow = () => {
      for (const resource of registry.resources()) {
        const id = `${resource.group}/${resource.version}/${resource.plural}`;
        if (watched.has(id) || (resource.verbs && !resource.verbs.includes("watch"))) continue;
        watched.add(id);
        const { resourceVersion } = registry.list(resource, { limit: 1 }).metadata;
        registry.watch(resource, { resourceVersion }, { next: () => this.#test(), end: () => watched.delete(id) });
      }
    };
    follow();
    registry.onResourcesChange(follow);
  }

  #test(): void {
    for (const invariant of this.#invariants) this.#broken ??= invariant(this);
  }

  #check(): void {
    if (this.#broken !== undefined) throw this.#error(this.#broken);
  }

  #error(message: string): Error {
    const after = (this.world.clock.now() - Date.UTC(2026, 0, 1)) / 1000;
    const said = this.log.slice(-5).map((entry) => `\n  ${entry.controller ?? "-"}: ${entry.message}: ${entry.error}`);
    return new Error(`seed ${this.#seed}, after ${after} s: ${message}${said.join("")}`);
  }
}

export async function simulatedCluster(options: SimulatedClusterOptions): Promise<SimulatedCluster> {
  const world = simulation(options.seed);
  const { clock, random } = world;
  const plane = await drive(world, createControlPlane({ clock, random, persistence: memoryPersistence() }));
  return new SimulatedCluster(world, plane, options);
}

/** Time stands still as long as the promise needs none. */
async function drive<T>(world: Simulation, promise: Promise<T>): Promise<T> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let turn = 0; turn < 100 && !settled; turn++) await world.settle();
  await world.until(() => settled, 600_000);
  return promise;
}
