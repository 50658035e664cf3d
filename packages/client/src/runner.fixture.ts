/** Controllers, objects and a world for the tests of the runner. */
import { simulation } from "@flotilla/ambient";
import {
  type ConfigMap,
  ConfigMaps,
  type KubeObject,
  newObject,
  ownerReference,
  type Pod,
  Pods,
  type Secret,
  Secrets,
} from "@flotilla/objects";
import { afterEach } from "vitest";
import type { Write } from "./api.ts";
import type { Context, Controller, Decision } from "./controller.ts";
import type { LogEntry } from "./log.ts";
import { ownedBy } from "./ownership.ts";
import { type RunnerOptions, type Running, runControllers } from "./runner.ts";
import { TinyApi } from "./tiny-api.fixture.ts";
import { watch, watchOwned } from "./watches.ts";
import { status } from "./writes.ts";

export const namespace = "default";
export const map = (name: string, data: Record<string, string> = {}): ConfigMap =>
  newObject(ConfigMaps, { metadata: { name, namespace }, data });
export const secret = (name: string, owner?: KubeObject): Secret =>
  newObject(Secrets, {
    metadata: { name, namespace, ...(owner && { ownerReferences: [ownerReference(owner, ConfigMaps)] }) },
  });

type Look = (map: ConfigMap, secrets: readonly Secret[], context: Context) => Decision;

/** Looks at ConfigMaps and the Secrets that they control. */
export const controller = (
  decide: Look,
  name = "test",
): Controller<{ map: ConfigMap; secrets: readonly Secret[] }> => ({
  name,
  watches: [watch(ConfigMaps), watchOwned(Secrets, ConfigMaps)],
  observe(key, cache) {
    const found = cache.get(ConfigMaps, key);
    return found && { map: found, secrets: cache.list(Secrets, ownedBy(found)) };
  },
  decide: (observed, context) => decide(observed.map, observed.secrets, context),
});

let running: Running | undefined;
afterEach(() => running?.stop());

export function setUp(controllers: readonly Controller[], options: Partial<RunnerOptions> = {}, seed = 1) {
  const api = new TinyApi();
  const world = simulation(seed);
  const log: LogEntry[] = [];
  return {
    api,
    world,
    log,
    async start() {
      const { clock, random } = world;
      running = runControllers({ api, controllers, clock, random, log: (entry) => log.push(entry), ...options });
      await world.settle();
      return running;
    },
  };
}

export const sent = (api: TinyApi) =>
  api.writes.map((write) => `${write.verb} ${"object" in write ? write.object.metadata.name : write.name}`);

export const pod = (name: string): Pod =>
  newObject(Pods, { metadata: { name, namespace, labels: { app: "a" } }, spec: { containers: [] } });
export const ready = (each: Pod) => status(each, { ...each.status, phase: "Running" });

export const podController = (
  writes: (pod: Pod, context: Context) => readonly Write<never>[] | readonly Write[],
): Controller<Pod> => ({
  name: "pods",
  watches: [watch(Pods)],
  observe: (key, cache) => cache.get(Pods, key),
  decide: (each, context) => ({ writes: writes(each, context) as readonly Write[] }),
});
