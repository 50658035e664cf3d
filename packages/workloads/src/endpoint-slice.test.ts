import { type EndpointSlice, EndpointSlices, newObject, type Pod, type Service, Services } from "@flotilla/objects";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { endpointSliceController, maxEndpoints } from "./endpoint-slice.ts";
import { calm, ended, meta, pending, readiness, ready, terminating, unready } from "./testing/objects.ts";
import { createdBy, summary, writesOf } from "./testing/summary.ts";
import { World } from "./testing/world.ts";

const key = { namespace: "shop", name: "web" };
const service = (more: Partial<NonNullable<Service["spec"]>> = {}): Service =>
  newObject(Services, {
    metadata: meta("web", { labels: { team: "a" } }),
    spec: {
      selector: { app: "web" },
      ports: [{ name: "http", port: 80, targetPort: 3000, appProtocol: "http" }],
      ...more,
    },
  });

const decision = (of: Service, pods: Pod[], slices: EndpointSlice[] = []) =>
  endpointSliceController.decide({ service: of, pods, slices }, calm);
const made = (of: Service, ...pods: Pod[]) => createdBy<EndpointSlice>(decision(of, pods));
const endpoints = (of: Service, ...pods: Pod[]) => made(of, ...pods).flatMap((slice) => slice.endpoints);
const conditions = (pod: Pod, of = service()) => endpoints(of, pod)[0]?.conditions;
/** The slices that a decision leaves behind, as they would then be. */
const after = (of: Service, ...pods: Pod[]) =>
  made(of, ...pods).map((slice) => ({
    ...slice,
    metadata: { ...slice.metadata, uid: slice.metadata.name, resourceVersion: "1" },
  }));
const dual: Pod = ready("a", { status: { ...readiness(true), podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] } });
const named = (name: string, containerPort: number) =>
  ready(name, { spec: { containers: [{ name: "main", image: "web", ports: [{ name: "web", containerPort }] }] } });

test("ready", () => expect(conditions(ready("a"))).toEqual({ ready: true, serving: true, terminating: false }));
test("not ready", () => expect(conditions(unready("a"))).toEqual({ ready: false, serving: false, terminating: false }));
test("terminating is never ready, but may serve", () =>
  expect(conditions(terminating("a"))).toEqual({ ready: false, serving: true, terminating: true }));
test("publishNotReadyAddresses makes all ready", () =>
  expect(conditions(unready("a"), service({ publishNotReadyAddresses: true }))).toMatchObject({
    ready: true,
    serving: false,
  }));
test("a pod without an address is none", () => expect(endpoints(service(), pending("a"))).toEqual([]));
test("a pod that has ended is none", () =>
  expect(endpoints(service(), ended("a", "Succeeded", { status: { phase: "Succeeded", podIP: "10.0.0.1" } }))).toEqual(
    [],
  ));
test("an endpoint says which pod and node", () =>
  expect(endpoints(service(), ready("a"))[0]).toMatchObject({
    addresses: ["10.0.0.1"],
    nodeName: "node-1",
    targetRef: { kind: "Pod", name: "a", uid: "uid-a" },
  }));
test("ports are those of the pod", () =>
  expect(made(service(), ready("a"))[0]?.ports).toEqual([
    { name: "http", port: 3000, protocol: "TCP", appProtocol: "http" },
  ]));
test("without targetPort the port is meant", () =>
  expect(made(service({ ports: [{ port: 80 }] }), ready("a"))[0]?.ports).toEqual([
    { name: "", port: 80, protocol: "TCP" },
  ]));
test("a named target port is looked up in the pod", () =>
  expect(made(service({ ports: [{ port: 80, targetPort: "web" }] }), named("a", 8080))[0]?.ports?.[0]?.port).toBe(
    8080,
  ));
test("pods that name different ports have slices of their own", () =>
  expect(made(service({ ports: [{ port: 80, targetPort: "web" }] }), named("a", 8080), named("b", 9090))).toHaveLength(
    2,
  ));
test("a port that the pod does not name is left out", () =>
  expect(made(service({ ports: [{ port: 80, targetPort: "none" }] }), named("a", 8080))[0]?.ports).toEqual([]));
test("a Service without pods has one empty slice", () =>
  expect(made(service()).map(({ endpoints: all }) => all)).toEqual([[]]));
test("labels say whose it is", () =>
  expect(made(service())[0]?.metadata).toMatchObject({
    labels: {
      team: "a",
      "kubernetes.io/service-name": "web",
      "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    },
    ownerReferences: [{ kind: "Service", name: "web" }],
  }));
test("a headless Service says so", () =>
  expect(made(service({ clusterIP: "None" }))[0]?.metadata.labels).toHaveProperty(["service.kubernetes.io/headless"]));
test("the host name counts when the subdomain is the Service's", () => {
  expect(endpoints(service(), ready("a", { spec: { hostname: "db-0", subdomain: "web" } }))[0]?.hostname).toBe("db-0");
  expect(endpoints(service(), ready("a", { spec: { hostname: "db-0", subdomain: "other" } }))[0]).not.toHaveProperty(
    "hostname",
  );
});
test("each address family has its slices", () =>
  expect(
    made(service({ ipFamilies: ["IPv4", "IPv6"] }), dual).map((slice) => [
      slice.addressType,
      slice.endpoints[0]?.addresses,
    ]),
  ).toEqual([
    ["IPv4", ["10.0.0.1"]],
    ["IPv6", ["fd00::1"]],
  ]));
test("more than a slice holds makes another", () => {
  const pods = Array.from({ length: maxEndpoints + 1 }, (_, i) => ready(`p${i}`));
  expect(made(service(), ...pods).map((slice) => slice.endpoints.length)).toEqual([100, 1]);
});
test("a change of one pod rewrites one slice", () => {
  const pods = Array.from({ length: 150 }, (_, i) => ready(`p${i}`));
  const slices = after(service(), ...pods);
  const [first, ...rest] = pods;
  expect(summary(decision(service(), [unready("p0"), ...rest], slices)).updates).toHaveLength(1);
  expect(first?.metadata.name).toBe("p0");
});
test("a new pod goes where there is room", () => {
  const pods = Array.from({ length: 99 }, (_, i) => ready(`p${i}`));
  const slices = after(service(), ...pods);
  expect(summary(decision(service(), [...pods, ready("new")], slices))).toEqual({
    updates: [slices[0]?.metadata.name],
  });
});
test("a slice that lost all its pods goes, another stays", () => {
  const of = service({ ports: [{ port: 80, targetPort: "web" }] });
  const slices = after(of, named("a", 8080), named("b", 9090));
  expect(summary(decision(of, [named("a", 8080)], slices))).toEqual({
    deletes: [slices.find((slice) => slice.ports?.[0]?.port === 9090)?.metadata.name],
  });
});
test("the last slice stays, empty", () =>
  expect(summary(decision(service(), [], after(service(), ready("a")))).updates).toHaveLength(1));
test("nothing changes, nothing is written", () =>
  expect(writesOf(decision(service(), [ready("a")], after(service(), ready("a"))))).toEqual([]));
test("a Service without selector is left alone", () =>
  expect(new World(service({ selector: undefined })).look(endpointSliceController, key)).toBe(0));
test("an ExternalName is left alone", () =>
  expect(new World(service({ type: "ExternalName" })).look(endpointSliceController, key)).toBe(0));
test("slices of other managers are left alone", () => {
  const foreign = newObject(EndpointSlices, {
    metadata: meta("x", { labels: { "kubernetes.io/service-name": "web" } }),
    addressType: "IPv4",
    endpoints: [],
  });
  const world = new World(service(), ready("a"), foreign);
  world.look(endpointSliceController, key);
  expect(world.get(EndpointSlices, { namespace: "shop", name: "x" })?.endpoints).toEqual([]);
});
test("whatever comes and goes, each pod is in exactly one slice, and it settles", () =>
  fc.assert(
    fc.property(fc.array(fc.nat(250), { maxLength: 4 }), (counts) => {
      const world = new World(service());
      for (const count of counts) {
        for (const { object } of world.all())
          if (object.kind === "Pod")
            world.delete({ ...Services, group: "", plural: "pods", kind: "Pod" }, object.metadata);
        for (let i = 0; i < count; i++) world.add(ready(`p${i}`, { metadata: { resourceVersion: undefined } }));
        world.look(endpointSliceController, key);
        expect(world.look(endpointSliceController, key)).toBe(0);
        const names = world
          .list(EndpointSlices)
          .flatMap((slice) => slice.endpoints.map(({ targetRef }) => targetRef?.name));
        expect(names.length).toBe(count);
        expect(new Set(names).size).toBe(count);
      }
    }),
    { numRuns: 10 },
  ));
