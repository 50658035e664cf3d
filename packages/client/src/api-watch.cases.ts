/** What holds for the watches of every `Api`. */
import { ConfigMaps } from "@flotilla/objects";
import { expect } from "vitest";
import type { WatchEvent } from "./api.ts";
import { type Check, configMap, createConfigMaps as create, events, namespace, refusal } from "./api-cases.fixture.ts";

export function watchCases(check: Check): void {
  check("shows what happened after a version", async (api) => {
    const { metadata } = await api.list(ConfigMaps, { namespace });
    await create(api, "a");
    await api.write({ verb: "update", resource: ConfigMaps, object: configMap("a", { k: "1" }) });
    await api.write({ verb: "delete", resource: ConfigMaps, namespace, name: "a" });
    const options = { namespace, resourceVersion: metadata.resourceVersion };
    expect(await events(api, ConfigMaps, options, 3)).toEqual(["ADDED a", "MODIFIED a", "DELETED a"]);
  });
  check("follows what happens from then on", async (api) => {
    const { metadata } = await api.list(ConfigMaps, { namespace });
    const seen = events(api, ConfigMaps, { namespace, resourceVersion: metadata.resourceVersion }, 2);
    await create(api, "a");
    await create(api, "b");
    expect(await seen).toEqual(["ADDED a", "ADDED b"]);
  });
  check("begins with what exists when no version is given", async (api) => {
    await create(api, "a", "b");
    const seen = await events(api, ConfigMaps, { namespace }, 3);
    expect(seen).toEqual(["ADDED a", "ADDED b", "ADDED kube-root-ca.crt"]);
  });
  check("marks the end of what exists", async (api) => {
    await create(api, "a");
    const all: WatchEvent[] = [];
    const options = { namespace, sendInitialEvents: true, allowWatchBookmarks: true };
    for await (const event of api.watch(ConfigMaps, { ...options, fieldSelector: "metadata.name=a" })) {
      all.push(event);
      if (event.type === "BOOKMARK") break;
    }
    expect(all.map(({ type }) => type)).toEqual(["ADDED", "BOOKMARK"]);
    expect(all[1]?.object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
    expect(Number(all[1]?.object.metadata.resourceVersion)).toBeGreaterThan(0);
  });
  check("tells who enters and leaves the selection", async (api) => {
    const { metadata } = await api.list(ConfigMaps, { namespace });
    const relabel = (app: string) =>
      api.write({ verb: "update", resource: ConfigMaps, object: configMap("a", {}, { app }) });
    await create(api, "a");
    await relabel("x");
    await relabel("y");
    await relabel("x");
    const options = { namespace, resourceVersion: metadata.resourceVersion, labelSelector: "app=x" };
    expect(await events(api, ConfigMaps, options, 3)).toEqual(["ADDED a", "DELETED a", "ADDED a"]);
  });
  check("ends when its signal says so", async (api) => {
    const controller = new AbortController();
    const seen: string[] = [];
    for await (const event of api.watch(ConfigMaps, { namespace, signal: controller.signal })) {
      seen.push(event.type);
      controller.abort();
    }
    expect(seen).toEqual(["ADDED"]);
  });
  check("rejects a selector that it does not understand", async (api) => {
    expect((await refusal(events(api, ConfigMaps, { labelSelector: "a in (" }, 1))).code).toBe(400);
  });
}
