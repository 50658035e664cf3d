import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simulation } from "@flotilla/ambient";
import { ConfigMaps, newObject, PersistentVolumes, type Pod, Secrets } from "@flotilla/objects";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PodInputs } from "./pod-inputs.ts";
import { podVolumes } from "./pod-volumes.ts";
import { facts, nothing, podOf } from "./pods.fixtures.ts";
import { volumeFolders } from "./volume-folders.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "volumes-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));
const world = simulation(1);
const make = (requested: string[] = []) =>
  volumeFolders({
    clock: world.clock,
    root,
    requestToken: async (pod, audience, seconds) => {
      requested.push(`${pod.metadata.name} ${audience ?? "-"} ${seconds}`);
      return { token: `token${requested.length}`, expiresAt: world.clock.now() + seconds * 1000 };
    },
  });
const map = (data: Record<string, string>) =>
  new Map([["c", newObject(ConfigMaps, { metadata: { name: "c" }, data })]]);
const inputs = (data: Record<string, string> = { a: "1", b: "2" }): PodInputs => ({
  ...nothing,
  configMaps: map(data),
  secrets: new Map([["s", newObject(Secrets, { metadata: { name: "s" }, data: { k: btoa("hidden") } })]]),
});
type Volume = NonNullable<Pod["spec"]["volumes"]>[number];
const planned = (volume: Omit<Volume, "name">, given = inputs()) =>
  podVolumes(podOf({ volumes: [{ name: "v", ...volume }] }, { labels: { app: "x" } }), given, "127.96.1.7", facts);
const folderOf = async (volume: Omit<Volume, "name">, given = inputs(), volumes = make()) => {
  const plans = planned(volume, given);
  if (plans.problem !== undefined) throw new Error(plans.problem);
  return (await volumes.prepare(podOf(), plans.value)).get("v") ?? "";
};
const text = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");
const visible = (folder: string) => readdirSync(folder).filter((name) => !name.startsWith(".."));

test("a ConfigMap is files", async () => {
  const folder = await folderOf({ configMap: { name: "c" } });
  expect(visible(folder).map((name) => text(folder, name))).toEqual(["1", "2"]);
});
test("a change appears all at once, by one link", async () => {
  const volumes = make();
  const folder = await folderOf({ configMap: { name: "c" } }, inputs(), volumes);
  const before = readlinkSync(join(folder, "..data"));
  expect(readlinkSync(join(folder, "a"))).toBe("..data/a");
  await folderOf({ configMap: { name: "c" } }, inputs({ a: "new", z: "26" }), volumes);
  expect(visible(folder)).toEqual(["a", "z"]);
  expect(text(folder, "a")).toBe("new");
  expect(existsSync(join(folder, before))).toBe(false);
  const after = readlinkSync(join(folder, "..data"));
  await folderOf({ configMap: { name: "c" } }, inputs({ a: "new", z: "26" }), volumes);
  expect(readlinkSync(join(folder, "..data"))).toBe(after);
});
test("a ConfigMap that becomes empty is an empty folder", async () => {
  const volumes = make();
  await folderOf({ configMap: { name: "c" } }, inputs(), volumes);
  expect(visible(await folderOf({ configMap: { name: "c" } }, inputs({}), volumes))).toEqual([]);
});
test("chosen keys at chosen paths with chosen modes", async () => {
  const folder = await folderOf({ configMap: { name: "c", items: [{ key: "a", path: "deep/x", mode: 0o400 }] } });
  expect(visible(folder)).toEqual(["deep"]);
  expect(statSync(join(folder, "deep/x")).mode & 0o777).toBe(0o400);
});
test("a Secret is decoded", async () =>
  expect(text(await folderOf({ secret: { secretName: "s" } }), "k")).toBe("hidden"));
test("fields of the pod", async () =>
  expect(
    text(
      await folderOf({ downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } }),
      "labels",
    ),
  ).toBe('app="x"'));
test("projected: all kinds in one folder, the token renewed before it ends", async () => {
  const requested: string[] = [];
  const volumes = make(requested);
  const sources = [
    { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
    { configMap: { name: "c", items: [{ key: "a", path: "ca.crt" }] } },
    { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
  ];
  const folder = await folderOf({ projected: { sources } }, inputs(), volumes);
  expect(visible(folder).map((name) => text(folder, name))).toEqual(["1", "default", "token1"]);
  await folderOf({ projected: { sources } }, inputs(), volumes);
  await world.advance(3600 * 800);
  await folderOf({ projected: { sources } }, inputs(), volumes);
  expect(requested).toEqual(["a - 3600", "a - 3600"]);
  expect(text(folder, "token")).toBe("token2");
});
test("emptyDir is for everybody, and goes with the pod", async () => {
  const volumes = make();
  for (const medium of [undefined, "Memory"] as const) {
    const folder = await folderOf({ emptyDir: { medium } }, inputs(), volumes);
    expect(statSync(folder).mode & 0o777).toBe(0o777);
    await volumes.remove("u");
    expect(lstatSync(folder, { throwIfNoEntry: false })).toBeUndefined();
  }
});
test("a claim is the folder of its volume, and stays", async () => {
  const path = join(root, "claim");
  const volume = newObject(PersistentVolumes, { metadata: { name: "pv" }, spec: { hostPath: { path } } });
  const volumes = make();
  expect(
    await folderOf(
      { persistentVolumeClaim: { claimName: "data" } },
      { ...nothing, claims: new Map([["data", volume]]) },
      volumes,
    ),
  ).toBe(path);
  await volumes.keepOnly(new Set());
  expect(existsSync(root) && readdirSync(root)).not.toContain("u");
});

describe("what is wrong is said as Kubernetes does", () => {
  const failed = 'MountVolume.SetUp failed for volume "v" : ';
  const cases: readonly [string, Omit<Volume, "name">, string][] = [
    ["a missing ConfigMap", { configMap: { name: "x" } }, 'configmap "x" not found'],
    ["a missing Secret", { secret: { secretName: "x" } }, 'secret "x" not found'],
    [
      "a missing key",
      { configMap: { name: "c", items: [{ key: "x", path: "x" }] } },
      "configmap references non-existent key: x",
    ],
    [
      "a claim that is not bound",
      { persistentVolumeClaim: { claimName: "x" } },
      'persistentvolumeclaim "x" is not bound',
    ],
    [
      "a kind of volume that is not known",
      { nfs: { path: "/", server: "x" } },
      "volumes of type nfs are not supported on this node",
    ],
  ];
  test.each(cases)("%s", (_what, volume, message) => expect(planned(volume).problem).toBe(failed + message));
  test("an optional one that is missing is an empty folder", async () =>
    expect(visible(await folderOf({ configMap: { name: "x", optional: true } }))).toEqual([]));
  test("a path that leaves its volume", async () =>
    expect(folderOf({ configMap: { name: "c", items: [{ key: "a", path: "../../x" }] } })).rejects.toThrow(
      "leaves its volume",
    ));
  test("a folder that must be there", async () =>
    expect(folderOf({ hostPath: { path: join(root, "none"), type: "Directory" } })).rejects.toThrow("is not a folder"));
});
