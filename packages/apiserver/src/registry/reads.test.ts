import { type ConfigMap, ConfigMaps, isExpired, type Pod, Pods, StatusError } from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import type { Change } from "../registry.ts";
import { memoryPersistence } from "../store/memory-persistence.ts";
import { decodeContinue, encodeContinue } from "./continue-token.ts";
import { pod, type World, world } from "./verbs.fixture.ts";

const namespace = "default";
const config = (name: string, k = "v") => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { k } });

function thrown(run: () => unknown): StatusError {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error("not refused");
}

/** More changes than are remembered. */
async function forget({ registry, done, context }: World, name: string): Promise<void> {
  const target = { resource: ConfigMaps, namespace, name };
  const patches = Array.from({ length: 1200 }, (_, k) =>
    registry.patch(target, { type: "merge", body: { data: { k: String(k) } } }, context),
  );
  await done(Promise.all(patches));
}

function watch(registry: World["registry"], options: Parameters<World["registry"]["watch"]>[1], resource = ConfigMaps) {
  const seen: string[] = [];
  const changes: Change[] = [];
  const ends: (Error | undefined)[] = [];
  const stream = registry.watch(resource, options, {
    next(change) {
      changes.push(change);
      seen.push(`${change.type} ${change.object.metadata.name ?? ""}`.trim());
    },
    end: (error) => void ends.push(error),
  });
  return { seen, changes, ends, stream };
}

describe("list", () => {
  test("at an exact version shows that version", async () => {
    const { create, registry } = await world();
    await create<ConfigMap>(config("a"));
    const { resourceVersion } = registry.list(ConfigMaps).metadata;
    await create<ConfigMap>(config("b"));
    const then = registry.list(ConfigMaps, { namespace, resourceVersion, resourceVersionMatch: "Exact" });
    expect(then.items.map(({ metadata }) => metadata.name)).toEqual(["a", "kube-root-ca.crt"]);
    expect(then.metadata.resourceVersion).toBe(resourceVersion);
    const now = registry.list(ConfigMaps, { namespace, resourceVersion, resourceVersionMatch: "NotOlderThan" });
    expect(now.items).toHaveLength(3);
  });
  test("at a version that is not reached yet is refused", async () => {
    const { registry } = await world();
    const error = thrown(() => registry.list(ConfigMaps, { resourceVersion: "999999" }));
    expect(error.code).toBe(504);
    expect(error.message).toMatch(/^Timeout: Too large resource version: 999999, current: \d+$/);
  });
  test("at a version that is forgotten is refused", async () => {
    const each = await world();
    await each.create<ConfigMap>(config("a"));
    const { resourceVersion } = each.registry.list(ConfigMaps).metadata;
    await forget(each, "a");
    const error = thrown(() => each.registry.list(ConfigMaps, { resourceVersion, resourceVersionMatch: "Exact" }));
    expect(isExpired(error)).toBe(true);
  });
  test("goes on at the newest state when the first page's is forgotten, if the client wants that", async () => {
    const each = await world();
    for (const name of ["a", "b", "c"]) await each.create<ConfigMap>(config(name));
    const first = each.registry.list(ConfigMaps, { namespace, limit: 1 });
    await forget(each, "a");
    const error = thrown(() => each.registry.list(ConfigMaps, { namespace, continue: first.metadata.continue }));
    expect(error.status).toMatchObject({ code: 410, reason: "Expired" });
    expect(error.message).toContain("The provided continue parameter is too old to display a consistent list result.");
    const fresh = (error.status.metadata as { continue?: string }).continue;
    const rest = each.registry.list(ConfigMaps, { namespace, continue: fresh });
    expect(rest.items.map(({ metadata }) => metadata.name)).toEqual(["b", "c", "kube-root-ca.crt"]);
  });
  test("continue tokens are Kubernetes'", () => {
    const token = encodeContinue({ revision: 7, after: "default/a" });
    expect(JSON.parse(Buffer.from(token, "base64url").toString())).toEqual({
      v: "meta.k8s.io/v1",
      rv: 7,
      start: "default/a\0",
    });
    expect(decodeContinue(token)).toEqual({ revision: 7, after: "default/a" });
  });
  test("selects pods by node and phase", async () => {
    const { create, registry, patch } = await world();
    await create<Pod>(pod("a", { nodeName: "n1" }));
    await create<Pod>(pod("b", { nodeName: "n2" }));
    await patch(Pods, "b", { status: { phase: "Running" } }, "status");
    const names = (fieldSelector: string) =>
      registry.list(Pods, { fieldSelector }).items.map(({ metadata }) => metadata.name);
    expect(names("spec.nodeName=n1")).toEqual(["a"]);
    expect(names("status.phase!=Running")).toEqual(["a"]);
    expect(names("spec.nodeName=n2,status.phase=Running")).toEqual(["b"]);
  });
  test("says by which fields it cannot select", async () => {
    const { registry } = await world();
    expect(thrown(() => registry.list(Pods, { fieldSelector: "spec.color=red" })).message).toBe(
      'Unable to find "/v1, Resource=pods" that match label selector "", field selector "spec.color=red": field label not supported: spec.color',
    );
  });
});

describe("watch", () => {
  test("never calls before it has returned", async () => {
    const { registry, settle } = await world();
    const { seen } = watch(registry, { namespace });
    expect(seen).toEqual([]);
    await settle();
    expect(seen).toEqual(["ADDED kube-root-ca.crt"]);
  });
  test("from a forgotten version ends with 410, of a busy resource only", async () => {
    const each = await world();
    await each.create<ConfigMap>(config("a"));
    const { resourceVersion } = each.registry.list(ConfigMaps).metadata;
    await forget(each, "a");
    const late = watch(each.registry, { namespace, resourceVersion });
    const quiet = watch(each.registry, { namespace, resourceVersion }, Pods as never);
    await each.settle();
    expect(late.ends).toHaveLength(1);
    expect(isExpired(late.ends[0])).toBe(true);
    expect(late.ends[0]?.message).toMatch(new RegExp(`^too old resource version: ${resourceVersion} \\(\\d+\\)$`));
    expect(quiet.ends).toEqual([]);
  });
  test("from a version that was never reached asks for a new list", async () => {
    const { registry, settle } = await world();
    const { ends } = watch(registry, { resourceVersion: "999999" });
    await settle();
    expect(isExpired(ends[0])).toBe(true);
  });
  test("goes on after a restart where nothing was missed", async () => {
    const persistence = memoryPersistence();
    const first = await world({ persistence });
    await first.create<ConfigMap>(config("a"));
    const { resourceVersion } = first.registry.list(ConfigMaps).metadata;
    await first.plane.close();
    const second = await world({ persistence, seed: 2 });
    const { seen, ends } = watch(second.registry, { namespace, resourceVersion });
    await second.create<ConfigMap>(config("b"));
    expect(ends).toEqual([]);
    expect(seen).toEqual(["ADDED b"]);
  });
  test("shows the version of the deletion", async () => {
    const { create, registry, done, context } = await world();
    const made = await create<ConfigMap>(config("a"));
    const { changes } = watch(registry, { namespace, resourceVersion: made.metadata.resourceVersion });
    await done(registry.delete({ resource: ConfigMaps, namespace, name: "a" }, {}, context));
    expect(changes[0]?.type).toBe("DELETED");
    expect(Number(changes[0]?.object.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
  });
  test("sends bookmarks about once a minute, to those who want them", async () => {
    const { registry, advance, create } = await world();
    const { resourceVersion } = registry.list(ConfigMaps).metadata;
    const plain = watch(registry, { resourceVersion });
    const marked = watch(registry, { resourceVersion, allowWatchBookmarks: true, fieldSelector: "metadata.name=none" });
    const made = await create<ConfigMap>(config("a"));
    await advance(61_000);
    expect(plain.seen).toEqual(["ADDED a"]);
    expect(marked.seen).toEqual(["BOOKMARK"]);
    expect(marked.changes[0]?.object.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });
  test("ends after its time, and when the control plane stops", async () => {
    const { registry, advance, plane, done } = await world();
    const short = watch(registry, { timeoutSeconds: 5 });
    const long = watch(registry, {});
    await advance(6_000);
    expect(short.ends).toEqual([undefined]);
    expect(long.ends).toEqual([]);
    await done(plane.close());
    expect(long.ends).toEqual([undefined]);
  });
  test("delivers nothing after it was closed", async () => {
    const { registry, create } = await world();
    const { resourceVersion } = registry.list(ConfigMaps).metadata;
    const { seen, stream } = watch(registry, { resourceVersion });
    stream.close();
    await create<ConfigMap>(config("a"));
    expect(seen).toEqual([]);
  });
});
