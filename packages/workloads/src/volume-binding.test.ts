import {
  newObject,
  type PersistentVolume,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  PersistentVolumes,
  StorageClasses,
} from "@flotilla/objects";
import { expect, test } from "vitest";
import { meta, ready } from "./testing/objects.ts";
import { World } from "./testing/world.ts";
import { localProvisioner, volumeBindingController } from "./volume-binding.ts";

const controller = volumeBindingController("/volumes");
const claim = (
  name: string,
  spec: Partial<NonNullable<PersistentVolumeClaim["spec"]>> = {},
  more: Partial<PersistentVolumeClaim["metadata"]> = {},
): PersistentVolumeClaim =>
  newObject(PersistentVolumeClaims, {
    metadata: meta(name, more),
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "",
      resources: { requests: { storage: "1Gi" } },
      ...spec,
    },
  });
const volume = (
  name: string,
  storage: string,
  spec: Partial<NonNullable<PersistentVolume["spec"]>> = {},
): PersistentVolume =>
  newObject(PersistentVolumes, {
    metadata: { ...meta(name), namespace: undefined },
    spec: { capacity: { storage }, accessModes: ["ReadWriteOnce"], hostPath: { path: `/${name}` }, ...spec },
  });
const local = newObject(StorageClasses, {
  metadata: {
    ...meta("local", { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } }),
    namespace: undefined,
  },
  provisioner: localProvisioner,
});

const settle = (world: World): World => {
  for (let i = 0; i < 6; i++) if (world.look(controller, { name: "volumes" }) === 0) return world;
  throw new Error(`it does not settle: ${world.failures.map(({ error }) => error.message)}`);
};
const bound = (world: World, name = "data") => world.get(PersistentVolumeClaims, { namespace: "shop", name });
const given = (...objects: Parameters<World["add"]>[0][]) => bound(settle(new World(...objects)))?.spec?.volumeName;

test("binds to the smallest volume that is large enough", () =>
  expect(given(claim("data"), volume("a", "5Gi"), volume("b", "2Gi"), volume("c", "500Mi"))).toBe("b"));
test("both sides say so", () => {
  const world = settle(new World(claim("data"), volume("a", "2Gi")));
  expect(bound(world)?.status).toEqual({
    phase: "Bound",
    accessModes: ["ReadWriteOnce"],
    capacity: { storage: "2Gi" },
  });
  expect(world.list(PersistentVolumes)[0]).toMatchObject({
    spec: { claimRef: { name: "data", uid: "uid-data" } },
    status: { phase: "Bound" },
  });
});
test("not to a volume of another class", () =>
  expect(given(claim("data"), volume("a", "2Gi", { storageClassName: "fast" }))).toBeUndefined());
test("not to one without the access mode", () =>
  expect(given(claim("data", { accessModes: ["ReadWriteMany"] }), volume("a", "2Gi"))).toBeUndefined());
test("not to one that another has", () =>
  expect(
    given(claim("data"), volume("a", "2Gi", { claimRef: { namespace: "shop", name: "other", uid: "x" } })),
  ).toBeUndefined());
test("to the one that was named", () =>
  expect(given(claim("data", { volumeName: "b" }), volume("a", "1Gi"), volume("b", "9Gi"))).toBe("b"));
test("to the one that is reserved for it", () =>
  expect(
    given(claim("data"), volume("a", "1Gi"), volume("b", "9Gi", { claimRef: { namespace: "shop", name: "data" } })),
  ).toBe("b"));
test("two claims do not get the same volume", () => {
  const world = settle(new World(claim("data"), claim("logs"), volume("a", "1Gi")));
  expect([bound(world, "data")?.status?.phase, bound(world, "logs")?.status?.phase].sort()).toEqual([
    "Bound",
    "Pending",
  ]);
});
test("makes a folder for a claim of the default class", () => {
  const world = settle(new World(claim("data", { storageClassName: undefined }, { uid: "12345678-9" }), local));
  expect(world.list(PersistentVolumes)).toMatchObject([
    {
      metadata: { name: "pvc-12345678-9" },
      spec: {
        storageClassName: "local",
        persistentVolumeReclaimPolicy: "Delete",
        hostPath: { path: "/volumes/shop-data-12345678", type: "DirectoryOrCreate" },
      },
    },
  ]);
  expect(bound(world)?.status?.phase).toBe("Bound");
});
test("what is missing is said", () => {
  const world = settle(new World(claim("data", { storageClassName: "none" })));
  expect(world.events[0]).toBe('Warning ProvisioningFailed storageclass.storage.k8s.io "none" not found');
});
test("the folder's volume goes with its claim", () => {
  const world = settle(new World(claim("data", { storageClassName: "local" }), local));
  world.delete(PersistentVolumeClaims, { namespace: "shop", name: "data" });
  expect(settle(world).list(PersistentVolumes)).toEqual([]);
});
test("a volume that was there before is released, and kept", () => {
  const world = settle(new World(claim("data"), volume("a", "1Gi")));
  world.delete(PersistentVolumeClaims, { namespace: "shop", name: "data" });
  expect(settle(world).list(PersistentVolumes)[0]?.status?.phase).toBe("Released");
});
test("a claim whose volume has gone is lost", () => {
  const world = settle(new World(claim("data"), volume("a", "1Gi")));
  world.delete(PersistentVolumes, { name: "a" });
  expect(bound(settle(world))?.status?.phase).toBe("Lost");
});
test("a claim in use is not let go before its pod has ended", () => {
  const held = claim("data", {}, { finalizers: ["kubernetes.io/pvc-protection"] });
  const world = settle(
    new World(
      held,
      volume("a", "1Gi"),
      ready("p", { spec: { volumes: [{ name: "d", persistentVolumeClaim: { claimName: "data" } }] } }),
    ),
  );
  world.delete(PersistentVolumeClaims, { namespace: "shop", name: "data" });
  expect(bound(settle(world))).toBeDefined();
  world.delete({ ...PersistentVolumes, plural: "pods", kind: "Pod" }, { namespace: "shop", name: "p" });
  expect(bound(settle(world))).toBeUndefined();
});
