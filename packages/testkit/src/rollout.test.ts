/**
 * Rollouts under faults, for many seeds. SEEDS=n runs so many; SEED=n only that one.
 */
import { type Deployment, Deployments, isControlledBy, isReady, type Pod, Pods, ReplicaSets } from "@flotilla/objects";
import { expect, test } from "vitest";
import { deployment } from "./builders.ts";
import { badWeather } from "./faults.ts";
import { type SimulatedCluster, simulatedCluster } from "./simulated-cluster.ts";

const { SEED, SEEDS = "60" } = process.env;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS) }, (_, index) => index + 1);

const ended = (pod: Pod) =>
  pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded";
const isComplete = ({ metadata, spec, status }: Deployment) =>
  status?.observedGeneration === metadata.generation &&
  status?.updatedReplicas === spec.replicas &&
  (status?.replicas ?? 0) === spec.replicas &&
  (status?.availableReplicas ?? 0) === spec.replicas;

const complete = (cluster: SimulatedCluster) => () => {
  const web = cluster.get(Deployments, "web");
  return web !== undefined && isComplete(web);
};

test.each(seeds)("seed %i: rolls out within its bounds, whatever goes wrong", async (seed) => {
  const cluster = await simulatedCluster({ seed, faults: badWeather, nodes: 3 });
  const { random } = cluster.world;
  const replicas = 1 + Math.floor(random.next() * 6);
  const maxSurge = Math.floor(random.next() * 3);
  const maxUnavailable = maxSurge === 0 ? 1 + Math.floor(random.next() * 2) : Math.floor(random.next() * 3);
  const wanted = (version: string, count = replicas) =>
    deployment("web", count, {
      version,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } },
    });

  cluster.invariant((state) => {
    const pods = state.list(Pods, { where: (pod) => !ended(pod) });
    if (pods.length > replicas + maxSurge) return `${pods.length} pods, at most ${replicas + maxSurge} are allowed`;
  });
  await cluster.apply(wanted("1"));
  await cluster.until("the first version is complete", complete(cluster), 600_000);

  const least = Math.max(0, replicas - maxUnavailable);
  let unbounded = false;
  cluster.invariant((state) => {
    if (unbounded) return;
    const ready = state.list(Pods, { where: (pod) => !ended(pod) && isReady(pod) });
    if (ready.length < least) return `${ready.length} ready pods, at least ${least} are promised`;
  });
  for (const version of ["2", "3", "2"]) {
    await cluster.apply(wanted(version));
    // The next version may come before this one is complete.
    if (random.next() < 0.5) await cluster.advance(8000 * random.next());
    else await cluster.until(`version ${version} is complete`, complete(cluster), 900_000);
  }
  const runs = (image: string) => () => cluster.list(Pods).every((pod) => pod.spec.containers[0]?.image === image);
  await cluster.until("only the last version is left", () => complete(cluster)() && runs("app:2")(), 900_000);
  await cluster.until("nothing is left over", () => cluster.list(Pods).length === replicas, 60_000);

  const web = cluster.get(Deployments, "web") as Deployment;
  for (const set of cluster.list(ReplicaSets)) expect(isControlledBy(set, web)).toBe(true);
  for (const pod of cluster.list(Pods))
    expect(cluster.list(ReplicaSets).some((set) => isControlledBy(pod, set))).toBe(true);

  unbounded = true;
  await cluster.apply(wanted("2", 0));
  await cluster.until("scaled to 0, no pod is left", () => cluster.list(Pods).length === 0, 120_000);
  await cluster.delete(web);
  await cluster.until("of a deleted one nothing is left", () => cluster.list(ReplicaSets).length === 0, 120_000);
});
