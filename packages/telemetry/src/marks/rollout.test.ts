// The marks of a whole cluster at work, whatever goes wrong: what its users did, each once, and nothing of what followed from it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Deployments, newObject, resources, Secrets } from "@flotilla/objects";
import { badWeather, deployment, type SimulatedCluster, simulatedCluster } from "@flotilla/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { attribute } from "../attributes.ts";
import { decodeLogs } from "../otlp/codec.ts";
import type { LogRecord } from "../otlp/types.ts";
import { changeEvent } from "./mark.ts";
import { type Marks, startMarks } from "./marks.ts";

let folder: string;
let records: LogRecord[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "marks-"));
  records = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const marking = ({ api, world, log }: SimulatedCluster): Marks =>
  startMarks({
    api,
    resources: async () => resources,
    clock: world.clock,
    random: world.random,
    file: join(folder, "seen.json"),
    log: (entry) => void log.push(entry),
    sink: {
      logs(request) {
        for (const { scopeLogs = [] } of decodeLogs(request).resourceLogs ?? [])
          for (const { logRecords = [] } of scopeLogs) records.push(...logRecords);
        return { taken: 0, rejected: 0 };
      },
    },
  });

const changes = () =>
  records
    .filter(({ eventName }) => eventName === changeEvent)
    .map(({ attributes, body }) => `${attribute(attributes, "k8s.object.kind")} ${body?.stringValue}`);

const available = (cluster: SimulatedCluster) => () => {
  const { metadata, spec, status } = cluster.get(Deployments, "web") ?? {};
  const counts = [status?.replicas, status?.updatedReplicas, status?.availableReplicas];
  return status?.observedGeneration === metadata?.generation && counts.every((count) => count === spec?.replicas);
};

test.each([1, 2, 3])("seed %d: a rollout, a scaling and a secret are five marks, restarts or not", async (seed) => {
  const cluster = await simulatedCluster({ seed, faults: badWeather });
  let marks = marking(cluster);
  await cluster.apply(deployment("web", 2));
  await cluster.until("it is there", available(cluster), 600_000);
  await cluster.apply(deployment("web", 2, { version: "2" }));
  await cluster.until("it is replaced", available(cluster), 600_000);
  await cluster.advance(10_000);
  await cluster.run(marks.stop());
  // Nobody looks meanwhile.
  const secret = (value: string) =>
    newObject(Secrets, { metadata: { namespace: "default", name: "db" }, data: { password: btoa(value) } });
  await cluster.apply(secret("hunter2"), deployment("web", 3, { version: "2" }));
  await cluster.until("it is larger", available(cluster), 600_000);
  marks = marking(cluster);
  await cluster.advance(20_000);
  await cluster.delete(secret("hunter2"));
  await cluster.advance(20_000);
  await cluster.run(marks.stop());
  // What was found together after the restart is told in any order.
  expect(changes().toSorted()).toEqual([
    "Deployment created\nspec.template.spec.containers[main].image: app:1",
    "Deployment spec.replicas: 2 → 3",
    "Deployment spec.template.spec.containers[main].image: app:1 → app:2",
    "Secret created",
    "Secret deleted",
  ]);
  const events = records.filter(({ eventName }) => eventName === "k8s.event");
  const said = events.map(({ attributes }) =>
    ["name", "count"].map((key) => attribute(attributes, `k8s.event.${key}`)).join(),
  );
  expect(said.length).toBeGreaterThan(5);
  expect(new Set(said).size).toBe(said.length);
});
