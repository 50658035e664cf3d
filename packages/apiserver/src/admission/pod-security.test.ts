import { readFileSync } from "node:fs";
import { type Namespace, Namespaces, type Pod, type PodSpec, Pods } from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { pod, world } from "../registry/verbs.fixture.ts";
import { detailsOf, type Judged, violations } from "./pod-security-checks.ts";

interface Recorded {
  readonly name: string;
  readonly annotations?: Record<string, string>;
  readonly spec: PodSpec;
  /** What is forbidden at that level; left out: nothing. */
  readonly baseline?: string;
  readonly restricted?: string;
}

const recorded: Recorded[] = JSON.parse(
  readFileSync(new URL("testdata/pod-security.json", import.meta.url), "utf8"),
) as Recorded[];

describe("judges Kubernetes' own test pods as Kubernetes does", () => {
  test.each(recorded)("$name", ({ annotations, spec, baseline = "", restricted = "" }) => {
    const judged: Judged = { metadata: { annotations }, spec };
    expect(detailsOf(violations("baseline", judged))).toBe(baseline);
    expect(detailsOf(violations("restricted", judged))).toBe(restricted);
    expect(violations("privileged", judged)).toEqual([]);
  });
});

const namespace = (name: string, modes: Record<string, string> = {}, more: object = {}) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: {
    name,
    labels: Object.fromEntries(
      Object.entries(modes).map(([mode, level]) => [`pod-security.kubernetes.io/${mode}`, level]),
    ),
  },
  ...more,
});
const hostile = (name: string, metadata: object = { namespace: "n" }) => pod(name, { hostPID: true }, metadata);
const hostPid = "host namespaces (hostPID=true)";

describe("a namespace's labels", () => {
  test("enforce: others are refused", async () => {
    const { create, refusal, warnings } = await world();
    await create<Namespace>(namespace("n", { enforce: "baseline", warn: "restricted" }));
    const error = await refusal(create(hostile("p")));
    expect([error.code, error.message]).toEqual([
      403,
      `pods "p" is forbidden: violates PodSecurity "baseline:latest": ${hostPid}`,
    ]);
    expect(warnings).toEqual([]);
  });
  test("enforce: the version is told", async () => {
    const { create, refusal } = await world();
    await create<Namespace>(namespace("n", { enforce: "baseline", "enforce-version": "v1.30" }));
    expect((await refusal(create(hostile("p")))).message).toContain('violates PodSecurity "baseline:v1.30"');
  });
  test("warn: others come with a warning", async () => {
    const { create, warnings } = await world();
    await create<Namespace>(namespace("n", { warn: "baseline" }));
    await create<Pod>(hostile("p"));
    expect(warnings).toEqual([`would violate PodSecurity "baseline:latest": ${hostPid}`]);
  });
  test("say nothing: all are taken", async () => {
    const { create, warnings } = await world();
    await create<Namespace>(namespace("n"));
    await create<Pod>(hostile("p"));
    expect(warnings).toEqual([]);
  });
  test("enforce: templates come with a warning", async () => {
    const { create, warnings } = await world();
    await create<Namespace>(namespace("n", { enforce: "baseline" }));
    const template = { metadata: { labels: { app: "a" } }, spec: hostile("p").spec };
    const selector = { matchLabels: { app: "a" } };
    const job = { spec: { template: { spec: { ...template.spec, restartPolicy: "Never" } } } };
    const metadata = { name: "a", namespace: "n" };
    await create({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { selector, template } });
    await create({ apiVersion: "batch/v1", kind: "CronJob", metadata, spec: { schedule: "@daily", jobTemplate: job } });
    await create({ apiVersion: "v1", kind: "PodTemplate", metadata, template });
    expect(warnings).toEqual(Array(3).fill(`would violate PodSecurity "baseline:latest": ${hostPid}`));
  });
  test("enforce: a pod that is there may be labelled, but get no other image", async () => {
    const { create, patch, refusal } = await world();
    const made = await create<Pod>(hostile("p", {}));
    const labels = { "pod-security.kubernetes.io/enforce": "baseline" };
    await patch<Namespace>(Namespaces, "default", { metadata: { labels } });
    await patch<Pod>(Pods, "p", { metadata: { labels: { x: "y" } } });
    await patch<Pod>(Pods, "p", { status: { phase: "Running" } }, "status");
    const containers = made.spec.containers.map((container) => ({ ...container, image: "example/main:2" }));
    const image = patch<Pod>(Pods, "p", { spec: { containers } });
    expect((await refusal(image)).code).toBe(403);
  });
  test("become stricter: pods that are there are told of", async () => {
    const { create, patch, warnings } = await world();
    for (const name of ["b", "a", "c"]) await create<Pod>(hostile(name, {}));
    await create<Pod>(
      pod("d", { containers: [{ name: "main", image: "i", ports: [{ containerPort: 1, hostPort: 1 }] }] }),
    );
    const set = (level: string) =>
      patch<Namespace>(Namespaces, "default", {
        metadata: { labels: { "pod-security.kubernetes.io/enforce": level } },
      });
    await set("baseline");
    expect(warnings.splice(0)).toEqual([
      'existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest"',
      "a (and 2 other pods): host namespaces",
      "d: hostPort",
    ]);
    await set("privileged");
    expect(warnings).toEqual([]);
  });
  test("must be levels and versions", async () => {
    const { create, refusal } = await world();
    const error = await refusal(create(namespace("n", { enforce: "strict", "warn-version": "1.30" })));
    expect([error.code, error.message]).toEqual([
      422,
      'Namespace "n" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of ' +
        "privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: " +
        '"1.30": must be "latest" or "v1.x"]',
    ]);
  });
});
