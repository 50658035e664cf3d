import { ConfigMaps, newObject, type Pod, Secrets, type Service, Services } from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { containerEnv, serviceEnv } from "./container-env.ts";
import { expand } from "./expand.ts";
import type { PodInputs } from "./pod-inputs.ts";
import { type Container, facts, nothing, podOf, withContainer } from "./pods.fixtures.ts";

const inputs: PodInputs = {
  ...nothing,
  configMaps: new Map([
    ["c", newObject(ConfigMaps, { metadata: { name: "c" }, data: { k: "v", "dotted.name": "d" } })],
  ]),
  secrets: new Map([["s", newObject(Secrets, { metadata: { name: "s" }, data: { k: btoa("hidden") } })]]),
};
const resolve = (container: Container, pod: Pod = podOf()) => {
  const whole = withContainer(container);
  const {
    HOSTNAME: _,
    HOST: __,
    ...env
  } = containerEnv({ ...pod, spec: whole.spec }, whole.spec.containers[0] as never, inputs, "127.96.1.7", facts)
    .value ?? {};
  return env;
};
const problem = (container: Container) => {
  const pod = withContainer(container);
  return containerEnv(pod, pod.spec.containers[0] as never, inputs, "127.96.1.7", facts).problem;
};
const from = (valueFrom: NonNullable<NonNullable<Container["env"]>[number]["valueFrom"]>) => ({
  env: [{ name: "A", valueFrom }],
});

describe("expansion", () => {
  const values: Record<string, string> = { A: "1", B: "2" };
  const cases = [
    ["$(A)-$(B)", "1-2"],
    ["$(C)", "$(C)"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$1"],
    ["$A", "$A"],
    ["a$", "a$"],
    ["$(A", "$(A"],
    ["$()", "$()"],
  ] as const;
  test.each(cases)("%s is %s", (text, expected) => expect(expand(text, (name) => values[name])).toBe(expected));
});

test("the pod's address and its first port are suggested", () =>
  expect(
    containerEnv(withContainer({}), { name: "m", ports: [{ containerPort: 80 }] }, nothing, "127.96.1.7", facts).value,
  ).toEqual({
    HOST: "127.96.1.7",
    PORT: "80",
    HOSTNAME: "a",
  }));
test("and may be set", () =>
  expect(resolve({ ports: [{ containerPort: 80 }], env: [{ name: "PORT", value: "81" }] })).toEqual({ PORT: "81" }));
test("a value may use earlier ones, not later ones", () =>
  expect(
    resolve({
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "$(A)$(C)" },
        { name: "C", value: "3" },
      ],
    }),
  ).toMatchObject({ B: "1$(C)" }));
test("all keys of a ConfigMap, with a prefix", () =>
  expect(resolve({ envFrom: [{ prefix: "P_", configMapRef: { name: "c" } }] })).toEqual({
    P_k: "v",
    "P_dotted.name": "d",
  }));
test("env stands before envFrom", () =>
  expect(resolve({ envFrom: [{ configMapRef: { name: "c" } }], env: [{ name: "k", value: "own" }] })).toMatchObject({
    k: "own",
  }));
test("a Secret is decoded", () =>
  expect(resolve(from({ secretKeyRef: { name: "s", key: "k" } }))).toEqual({ A: "hidden" }));
test("an optional key that is missing is left out", () =>
  expect(resolve(from({ configMapKeyRef: { name: "c", key: "none", optional: true } }))).toEqual({}));

describe("what is missing is named", () => {
  const cases = [
    ["a ConfigMap", from({ configMapKeyRef: { name: "x", key: "k" } }), 'configmap "x" not found'],
    ["a Secret", from({ secretKeyRef: { name: "x", key: "k" } }), 'secret "x" not found'],
    ["a key", from({ configMapKeyRef: { name: "c", key: "x" } }), "couldn't find key x in ConfigMap default/c"],
    ["a key of a Secret", from({ secretKeyRef: { name: "s", key: "x" } }), "couldn't find key x in Secret default/s"],
    ["all of a ConfigMap", { envFrom: [{ configMapRef: { name: "x" } }] }, 'configmap "x" not found'],
    ["a field", from({ fieldRef: { fieldPath: "spec.nothing" } }), "unsupported fieldPath: spec.nothing"],
  ] as const;
  test.each(cases)("%s", (_what, container, message) => expect(problem(container as Container)).toBe(message));
});

describe("fields of the pod", () => {
  const pod = podOf({}, { labels: { app: "shop" }, annotations: { "x/y": "z" } });
  const cases = [
    ["metadata.name", "a"],
    ["metadata.namespace", "default"],
    ["metadata.uid", "u"],
    ["metadata.labels['app']", "shop"],
    ["metadata.annotations['x/y']", "z"],
    ["metadata.labels['none']", ""],
    ["spec.nodeName", "local"],
    ["status.podIP", "127.96.1.7"],
    ["status.hostIP", "127.0.0.1"],
  ] as const;
  test.each(cases)("%s", (fieldPath, expected) =>
    expect(resolve(from({ fieldRef: { fieldPath } }), pod)).toEqual({ A: expected }),
  );
});

describe("resources", () => {
  const resources = { limits: { cpu: "1500m", memory: "64Mi" }, requests: { cpu: "250m" } };
  const cases = [
    ["limits.cpu", undefined, "2"],
    ["limits.cpu", "1m", "1500"],
    ["requests.cpu", "1m", "250"],
    ["limits.memory", undefined, "67108864"],
    ["limits.memory", "1Mi", "64"],
    ["requests.memory", "1Mi", "64"],
  ] as const;
  test.each(cases)("%s in units of %s", (resource, divisor, expected) =>
    expect(resolve({ resources, ...from({ resourceFieldRef: { resource, divisor } }) })).toEqual({ A: expected }),
  );
  test("a limit that is not set is what the node has", () =>
    expect(resolve(from({ resourceFieldRef: { resource: "limits.cpu" } }))).toEqual({ A: "4" }));
});

test("Services are found as by links", () => {
  const service: Service = newObject(Services, {
    metadata: { name: "my-db", namespace: "default" },
    spec: { clusterIP: "127.112.0.9", ports: [{ name: "sql", port: 5432, protocol: "TCP" }] },
  });
  const headless = newObject(Services, { metadata: { name: "h" }, spec: { clusterIP: "None", ports: [{ port: 1 }] } });
  expect(serviceEnv([service, headless])).toEqual({
    MY_DB_SERVICE_HOST: "127.112.0.9",
    MY_DB_SERVICE_PORT: "5432",
    MY_DB_SERVICE_PORT_SQL: "5432",
    MY_DB_PORT: "tcp://127.112.0.9:5432",
    MY_DB_PORT_5432_TCP: "tcp://127.112.0.9:5432",
    MY_DB_PORT_5432_TCP_PROTO: "tcp",
    MY_DB_PORT_5432_TCP_PORT: "5432",
    MY_DB_PORT_5432_TCP_ADDR: "127.112.0.9",
  });
});
