import { Deployments, isReady, Pods, ReplicaSets } from "@flotilla/objects";
import { expect, test } from "vitest";
import { deployment } from "./builders.ts";
import { badWeather } from "./faults.ts";
import { type SimulatedCluster, simulatedCluster } from "./simulated-cluster.ts";

const ready = (cluster: SimulatedCluster) =>
  cluster.list(Pods, { where: (pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined });

test("a Deployment becomes ready pods on the nodes", async () => {
  const cluster = await simulatedCluster({ seed: 1 });
  await cluster.apply(deployment("web", 4));
  await cluster.until("four pods are ready", () => ready(cluster).length === 4, 60_000);
  expect(new Set(ready(cluster).map(({ spec }) => spec.nodeName))).toEqual(new Set(["node-1", "node-2"]));
});

test("the same seed is the same history, another seed is another", async () => {
  const history = async (seed: number) => {
    const cluster = await simulatedCluster({ seed, faults: badWeather });
    await cluster.apply(deployment("web", 3));
    await cluster.advance(120_000);
    const pods = cluster.list(Pods).map(({ metadata, status, spec }) => [metadata, status, spec.nodeName]);
    return JSON.stringify([pods, cluster.crashes, cluster.log.map(({ message }) => message)]);
  };
  expect(await history(5)).toBe(await history(5));
  expect(await history(6)).not.toBe(await history(5));
});

test("bad weather is bad: writes fail, answers are lost, watches break, the controllers die", async () => {
  const cluster = await simulatedCluster({ seed: 2, faults: badWeather });
  for (const version of ["1", "2", "3", "4"]) {
    await cluster.apply(deployment("web", 5, { version }));
    await cluster.advance(60_000);
  }
  const said = cluster.log.map(({ error }) => String(error)).join("\n");
  for (const fault of [
    "the write was refused",
    "the answer was lost",
    "the watch could not begin",
    "the read failed",
  ]) {
    expect(said).toContain(fault);
  }
  expect(cluster.crashes).toBeGreaterThan(0);
});

test("an invariant is checked at every commit, and its failure names the seed", async () => {
  const cluster = await simulatedCluster({ seed: 77 });
  let looks = 0;
  cluster.invariant((state) => {
    looks++;
    const count = state.list(Pods).length;
    return count > 2 ? `${count} pods` : undefined;
  });
  const running = async () => {
    await cluster.apply(deployment("web", 3));
    await cluster.until("never", () => false, 60_000);
  };
  await expect(running()).rejects.toThrow(/^seed 77, after [\d.]+ s: 3 pods/);
  expect(looks).toBeGreaterThan(10);
});

test("what does not come about names the seed and what was waited for", async () => {
  const cluster = await simulatedCluster({ seed: 78 });
  const waiting = cluster.until("a pod from nowhere", () => cluster.list(Pods).length > 0, 5000);
  await expect(waiting).rejects.toThrow(/^seed 78, after [\d.]+ s: not within 5 s: a pod from nowhere/);
});

test("controllers that die amid their work leave no pod too many behind", async () => {
  const cluster = await simulatedCluster({ seed: 3, faults: { latency: 10, crashes: 0.15 } });
  cluster.invariant((state) => {
    const count = state.list(Pods).length;
    return count > 8 ? `${count} pods of 8` : undefined;
  });
  await cluster.apply(deployment("web", 8));
  await cluster.until("eight pods are ready", () => ready(cluster).length === 8, 600_000);
  expect(cluster.crashes).toBeGreaterThan(2);
});

test("pods of a lost node are made anew on the others", async () => {
  const cluster = await simulatedCluster({ seed: 4, nodes: 3 });
  await cluster.apply(deployment("web", 6));
  await cluster.until("six pods are ready", () => ready(cluster).length === 6, 60_000);
  const [lost] = cluster.nodes;
  await cluster.run(lost?.lose() ?? Promise.reject(new Error("no node")));
  await cluster.until(
    "six pods are ready on the others",
    () => ready(cluster).filter(({ spec }) => spec.nodeName !== lost?.name).length === 6,
    900_000,
  );
});

test("of a deleted Deployment nothing is left", async () => {
  const cluster = await simulatedCluster({ seed: 5, faults: badWeather });
  await cluster.apply(deployment("web", 3));
  await cluster.until("three pods are ready", () => ready(cluster).length === 3, 120_000);
  const web = cluster.get(Deployments, "web");
  if (!web) throw new Error("no Deployment");
  await cluster.delete(web);
  const left = () => [...cluster.list(Pods), ...cluster.list(ReplicaSets)].length;
  await cluster.until("nothing is left", () => left() === 0, 300_000);
});
