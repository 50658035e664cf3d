import {
  type ConfigMap,
  ConfigMaps,
  type EndpointSlice,
  EndpointSlices,
  type Event,
  Events,
  GatewayClasses,
  Namespaces,
  PriorityClasses,
  type Service,
  Services,
  StorageClasses,
} from "@flotilla/objects";
import { expect, test } from "vitest";
import { world } from "./registry/verbs.fixture.ts";
import { memoryPersistence } from "./store/memory-persistence.ts";

test("a new cluster has what every cluster has", async () => {
  const { registry } = await world();
  const names = (resource: Parameters<typeof registry.list>[0]) =>
    registry.list(resource).items.map(({ metadata }) => metadata.name);
  expect(names(Namespaces)).toEqual(["default", "kube-node-lease", "kube-public", "kube-system"]);
  expect(names(PriorityClasses)).toEqual(["system-cluster-critical", "system-node-critical"]);
  expect(names(StorageClasses)).toEqual(["local"]);
  expect(names(GatewayClasses)).toEqual(["flotilla"]);
  const { spec } = registry.get(Services, { namespace: "default", name: "kubernetes" }) as Service;
  expect(spec).toMatchObject({ clusterIP: "10.96.0.1", ports: [{ name: "https", port: 443, targetPort: 6443 }] });
});

test("says where the API listens, and says it anew", async () => {
  const { registry, plane, done } = await world();
  await done(plane.publish({ address: "127.0.0.1", port: 7443 }));
  const slice = registry.get(EndpointSlices, { namespace: "default", name: "kubernetes" }) as EndpointSlice;
  expect(slice).toMatchObject({ endpoints: [{ addresses: ["127.0.0.1"] }], ports: [{ port: 7443 }] });
  const service = registry.get(Services, { namespace: "default", name: "kubernetes" }) as Service;
  expect(service.spec.ports).toMatchObject([{ port: 443, targetPort: 7443 }]);
});

test("starting again changes nothing", async () => {
  const persistence = memoryPersistence();
  const first = await world({ persistence });
  const before = first.registry.list(ConfigMaps);
  await first.plane.close();
  const second = await world({ persistence, seed: 2 });
  expect(second.registry.list(ConfigMaps)).toEqual(before);
});

test("namespaces carry the certificate of today's authority", async () => {
  const persistence = memoryPersistence();
  const first = await world({ persistence, certificateAuthority: "old" });
  await first.plane.close();
  const second = await world({ persistence, certificateAuthority: "new" });
  const authorities = (second.registry.list(ConfigMaps).items as ConfigMap[]).map(({ data }) => data?.["ca.crt"]);
  expect(authorities).toEqual(["new", "new", "new", "new"]);
});

test("events go an hour after they were last seen", async () => {
  const { create, registry, advance, clock } = await world();
  const event = (name: string, lastTimestamp: string) => ({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name },
    involvedObject: { kind: "Pod", namespace: "default", name: "p" },
    type: "Normal",
    reason: "Test",
    lastTimestamp,
  });
  const later = new Date(clock.now() + 1800_000).toISOString().replace(/\.\d+/, "");
  await create<Event>(event("once", "2026-01-01T00:00:00Z"));
  await create<Event>(event("again", later));
  await advance(3500_000);
  expect(registry.list(Events).items).toHaveLength(2);
  await advance(600_000);
  expect(registry.list(Events).items.map(({ metadata }) => metadata.name)).toEqual(["again"]);
  await advance(3600_000);
  expect(registry.list(Events).items).toEqual([]);
});
