/**
 * A node without containers: what the API sees of one. Pods that are bound to it start, get ready, and end when they are
 * deleted; some fail now and then. Stands where the agent stands in a real cluster.
 */
import { type Cancel, type Simulation, sleep } from "@flotilla/ambient";
import { type Api, type Controller, remove, status, watch } from "@flotilla/client";
import {
  isAlreadyExists,
  type Lease,
  Leases,
  microTimeOf,
  Nodes,
  newObject,
  type Pod,
  Pods,
  type Resource,
  setCondition,
  timeOf,
} from "@flotilla/objects";
import { node } from "./builders.ts";
import type { Faults } from "./faults.ts";
import { SimulatedProcess } from "./process.ts";

const leasePeriod = 10_000;
const leaseDuration = 40;

export interface NodeOptions {
  readonly name: string;
  readonly api: Api;
  readonly world: Simulation;
  readonly faults: () => Required<Faults>;
  readonly resources: () => readonly Resource[];
  readonly log: ConstructorParameters<typeof SimulatedProcess>[0]["log"];
}

export class SimulatedNode {
  readonly name: string;
  readonly #options: NodeOptions;
  readonly #process: SimulatedProcess;
  readonly #renewing: Cancel;

  constructor(options: NodeOptions) {
    this.name = options.name;
    this.#options = options;
    this.#process = new SimulatedProcess({
      ...options,
      controllers: () => ({ controllers: [podLife(options.name, options.world)] as Controller[] }),
    });
    const stop = new AbortController();
    this.#renewing = () => stop.abort();
    void this.#report(stop.signal);
  }

  /** The machine is gone, and says nothing more. */
  lose(): void {
    this.#process.kill();
    this.#renewing();
  }

  async #report(signal: AbortSignal): Promise<void> {
    const { world, log } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#register();
        await this.#renew();
      } catch (error) {
        log({ level: "info", message: `node ${this.name} cannot report`, error });
      }
      await sleep(world.clock, leasePeriod, signal).catch(() => undefined);
    }
  }

  async #register(): Promise<void> {
    const { api, world } = this.#options;
    const now = timeOf(new Date(world.clock.now()));
    const wanted = node(this.name);
    try {
      await api.write({ resource: Nodes, verb: "create", object: wanted });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const existing = await api.get(Nodes, { name: this.name });
    if (existing.status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True")) return;
    const ready = { type: "Ready", status: "True", reason: "KubeletReady", message: "", lastHeartbeatTime: now };
    const conditions = setCondition(existing.status?.conditions, ready, new Date(now));
    const { capacity } = wanted.status ?? {};
    await api.write(status(existing, { ...existing.status, capacity, allocatable: capacity, conditions }));
  }

  async #renew(): Promise<void> {
    const { api, world } = this.#options;
    const key = { namespace: "kube-node-lease", name: this.name };
    const spec = {
      holderIdentity: this.name,
      leaseDurationSeconds: leaseDuration,
      renewTime: microTimeOf(new Date(world.clock.now())),
    };
    const lease: Lease = newObject(Leases, { metadata: key, spec });
    try {
      await api.write({ resource: Leases, verb: "create", object: lease });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      await api.write({ resource: Leases, verb: "patch", type: "merge", ...key, patch: { spec } });
    }
  }
}

/** Of all containers: from start to ready, and from SIGTERM to the end. Milliseconds, at least and at most. */
const startTakes = [200, 4000] as const;
const stopTakes = [100, 3000] as const;

const podLife = (name: string, { random }: Simulation): Controller<Pod> => {
  /** When each pod's containers are through with what they do, by uid and what that is. */
  const due = new Map<string, number>();
  const isDone = (what: string, now: Date, [least, most]: readonly [number, number]): number => {
    const at = due.get(what) ?? now.getTime() + least + (most - least) * random.next();
    due.set(what, at);
    return at - now.getTime();
  };
  return {
    name: `node-${name}`,
    watches: [watch(Pods)],
    observe(key, cache) {
      const pod = cache.get(Pods, key);
      return pod?.spec.nodeName === name ? pod : undefined;
    },
    decide(pod, { now }) {
      const { uid, deletionTimestamp } = pod.metadata;
      if (deletionTimestamp !== undefined) {
        const left = isDone(`${uid} stop`, now, stopTakes);
        if (left > 0) return { writes: [notReady(pod, now)], lookAgainIn: left };
        return { writes: [remove(pod, { gracePeriodSeconds: 0, preconditions: { uid } })] };
      }
      const left = isDone(`${uid} start`, now, startTakes);
      return left > 0 ? { lookAgainIn: left } : { writes: [running(pod, now)] };
    },
  };
};

const running = (pod: Pod, now: Date) =>
  status(pod, {
    ...pod.status,
    phase: "Running",
    startTime: pod.status?.startTime ?? timeOf(now),
    ...are("True", pod, now),
  });

const notReady = (pod: Pod, now: Date) => status(pod, { ...pod.status, ...are("False", pod, now) });

function are(ready: "True" | "False", pod: Pod, now: Date): Pick<NonNullable<Pod["status"]>, "conditions"> {
  let conditions = pod.status?.conditions;
  for (const type of ["ContainersReady", "Ready"]) conditions = setCondition(conditions, { type, status: ready }, now);
  return { conditions };
}
