import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Apps } from "./flotilla-kinds.ts";
import { ConfigMaps, Deployments, Leases, Pods, Secrets, Services } from "./generated/resources.ts";
import type { Resource } from "./resource.ts";
import { prune, shapeError, strictDecodingMessage, validateShape, validateType } from "./validate-shape.ts";

const golden = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./testdata/${name}.json`, import.meta.url), "utf8"));

for (const [resource, file] of [
  [Pods, "core.v1.Pod"],
  [Deployments, "apps.v1.Deployment"],
  [Secrets, "core.v1.Secret"],
  [Leases, "coordination.k8s.io.v1.Lease"],
] as const) {
  test(`a ${resource.kind} with every field has its shape`, () =>
    expect(validateShape(resource, golden(file))).toEqual({ unknown: [], wrongType: [] }));
}

test("names unknown fields with their whole path", () => {
  const shape = validateShape(Deployments, {
    spec: { replicsa: 1, template: { spec: { containers: [{ name: "a" }, { imagee: "x", env: [{ nam: "" }] }] } } },
    metadata: { labels: { anything: "goes" } },
    status: null,
  });
  expect(shape.unknown).toEqual([
    "spec.replicsa",
    "spec.template.spec.containers[1].imagee",
    "spec.template.spec.containers[1].env[0].nam",
  ]);
  expect(strictDecodingMessage(["spec.replicsa", "x"])).toBe(
    'strict decoding error: unknown field "spec.replicsa", unknown field "x"',
  );
});

const wrong: readonly [string, Resource, unknown, string][] = [
  [
    "a string for a number",
    Deployments,
    { spec: { replicas: "3" } },
    "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
  ],
  [
    "a fraction for a whole number",
    Deployments,
    { spec: { replicas: 1.5 } },
    "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
  ],
  [
    "a number that is too large",
    Deployments,
    { spec: { replicas: 2 ** 31 } },
    "json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
  ],
  [
    "a number for a label",
    ConfigMaps,
    { metadata: { labels: { a: 1 } } },
    "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
  ],
  [
    "an object for a list",
    Pods,
    { spec: { containers: {} } },
    "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
  ],
  [
    "a string for an object in a list",
    Pods,
    { spec: { containers: ["x"] } },
    "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type v1.Container",
  ],
  [
    "a string for a boolean",
    Pods,
    { spec: { hostNetwork: "yes" } },
    "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool",
  ],
  [
    "a list for a map",
    ConfigMaps,
    { data: [] },
    "json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string",
  ],
  [
    "an object for a port",
    Services,
    { spec: { ports: [{ port: 1, targetPort: {} }] } },
    "json: cannot unmarshal object into Go value of type int32",
  ],
  ["text that is not base64", Secrets, { data: { a: "a b=" } }, "illegal base64 data at input byte 1"],
  [
    "a wrong amount",
    Pods,
    { spec: { containers: [{ resources: { requests: { cpu: "1 core" } } }] } },
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [
    "a wrong time",
    Pods,
    { metadata: { creationTimestamp: "now" } },
    'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"',
  ],
  ["no object at all", Pods, [], "json: cannot unmarshal array into Go value of type v1.Pod"],
];
for (const [name, resource, value, message] of wrong) {
  test(`refuses ${name}`, () => {
    const shape = validateShape(resource, value);
    expect(shape.wrongType).toEqual([message]);
    const { kind } = resource;
    const error = shapeError(resource, shape, false);
    expect(error?.message).toBe(`${kind} in version "v1" cannot be handled as a ${kind}: ${message}`);
    expect(error?.code).toBe(400);
  });
}

test("unknown fields are refused only when the client is strict", () => {
  const shape = validateShape(Pods, { spec: { x: 1 } });
  expect(shapeError(Pods, shape, false)).toBeUndefined();
  expect(shapeError(Pods, shape, true)?.message).toBe(
    'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.x"',
  );
});

test("pruning leaves what is known", () => {
  const value = { x: 1, spec: { containers: [{ name: "a", y: { z: 1 } }] }, metadata: { annotations: { any: "x" } } };
  expect(prune(Pods, value)).toEqual(["x", "spec.containers[0].y"]);
  expect(value).toEqual({ spec: { containers: [{ name: "a" }] }, metadata: { annotations: { any: "x" } } });
  expect(validateShape(Pods, value).unknown).toEqual([]);
});

test("free-form fields hold anything", () => {
  const app = { spec: { services: { a: { anything: [1] } }, versions: { a: { image: "x", tag: "y" } } } };
  expect(validateShape(Apps, app)).toEqual({ unknown: ["spec.versions.a.tag"], wrongType: [] });
});

test("a kind without a schema has every shape", () => {
  const custom: Resource = { ...Pods, type: undefined };
  expect(validateShape(custom, { anything: 1 }).unknown).toEqual([]);
});

test("a part of a kind can be checked on its own, for people", () => {
  const container = {
    name: 1,
    ports: [{ containerPort: "80", prot: "TCP" }],
    resources: { limits: { cpu: "1 core" } },
  };
  expect(validateType("core/v1.Container", container, "spec.extra")).toEqual({
    unknown: ["spec.extra.ports[0].prot"],
    wrongType: [
      { path: "spec.extra.name", message: "is of type string, not number" },
      { path: "spec.extra.ports[0].containerPort", message: "is of type int32, not string" },
      {
        path: "spec.extra.resources.limits.cpu",
        message: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
      },
    ],
  });
});
