import { describe, expect, test } from "vitest";
import { containerEnv } from "./container-env.ts";
import type { AgentFacts } from "./pod-observation.ts";
import { type Container, facts, nothing, withContainer } from "./pods.fixtures.ts";

const labels = {
  "app.kubernetes.io/name": "orders",
  "app.kubernetes.io/part-of": "a shop",
  "app.kubernetes.io/version": "1,2=3",
};
const node = { ...facts, otlpEndpoint: "http://127.0.0.1:4318" };
const inputs = {
  ...nothing,
  configMaps: new Map([
    ["c", { metadata: { name: "c" }, data: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://there:4317" } } as never],
  ]),
};
const envOf = (container: Container = {}, metadata: object = { labels }, known: AgentFacts = node) => {
  const pod = withContainer(container);
  const named = { ...pod, metadata: { ...pod.metadata, ...metadata } };
  return containerEnv(named, named.spec.containers[0] as never, inputs, "127.96.1.7", known).value ?? {};
};
const set = (name: string, value: string): Container => ({ env: [{ name, value }] });

test("a container is told where to send its telemetry, and who it is", () =>
  expect(envOf()).toMatchObject({
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_SERVICE_NAME: "orders",
    OTEL_RESOURCE_ATTRIBUTES:
      "service.namespace=a%20shop,service.version=1%2C2%3D3,service.instance.id=a,k8s.namespace.name=default," +
      "k8s.pod.name=a,k8s.pod.uid=u,k8s.container.name=main,k8s.node.name=local",
  }));
test("nothing is said where nobody takes it", () =>
  expect(Object.keys(envOf({}, { labels }, facts)).filter((name) => name.startsWith("OTEL"))).toEqual([]));

describe("what a container says itself stands", () => {
  test("a variable", () => expect(envOf(set("OTEL_SERVICE_NAME", "mine")).OTEL_SERVICE_NAME).toBe("mine"));
  test("an endpoint, with its protocol, also of a ConfigMap", () => {
    const env = envOf({ envFrom: [{ configMapRef: { name: "c" } }] });
    expect([env.OTEL_EXPORTER_OTLP_ENDPOINT, env.OTEL_EXPORTER_OTLP_PROTOCOL]).toEqual([
      "http://there:4317",
      undefined,
    ]);
  });
  test("an attribute, beside ours", () =>
    expect(envOf(set("OTEL_RESOURCE_ATTRIBUTES", "team=x,k8s.pod.name=y")).OTEL_RESOURCE_ATTRIBUTES).toMatch(
      /^service\.namespace=.*,team=x,k8s\.pod\.name=y$/,
    ));
  test("a name among attributes", () =>
    expect(envOf(set("OTEL_RESOURCE_ATTRIBUTES", "service.name=x")).OTEL_SERVICE_NAME).toBeUndefined());
});

describe("a pod without the label is known by", () => {
  const owned = (name: string) => ({
    ownerReferences: [{ controller: true, kind: "ReplicaSet", name, apiVersion: "apps/v1", uid: "x" }],
  });
  const cases = [
    ["its owner", owned("db"), "db"],
    ["its Deployment", { ...owned("web-5d8f9c7b6d"), labels: { "pod-template-hash": "5d8f9c7b6d" } }, "web"],
    ["its own name", {}, "a"],
  ] as const;
  test.each(cases)("%s", (_what, metadata, name) => expect(envOf({}, metadata).OTEL_SERVICE_NAME).toBe(name));
});
