import {
  APIServices,
  ConfigMaps,
  type CustomResourceDefinition,
  CustomResourceDefinitions,
  internalError,
  newObject,
  type Pod,
  Pods,
  type Resource,
  Secrets,
} from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import type { Controller, Key, Source } from "./controller.ts";
import { byOwner } from "./ownership.ts";
import { controller, map, namespace, pod, podController, ready, secret, sent, setUp } from "./runner.fixture.ts";
import { keyOf, watch, watchAll, watchMapped } from "./watches.ts";
import { create, remove, together } from "./writes.ts";

describe("a decision never sees a cache older than its own last write", () => {
  test("after a create", async () => {
    const seen: number[] = [];
    const { api, world, start } = setUp([
      controller((each, secrets) => {
        seen.push(secrets.length);
        return { writes: secrets.length < 2 ? [create(Secrets, secret(`s${secrets.length}`, each))] : [] };
      }),
    ]);
    api.put(ConfigMaps, map("a"));
    api.beforeWrite = () => api.hold(Secrets);
    await start();
    api.put(ConfigMaps, map("a", { changed: "meanwhile" }));
    await world.advance(1000);
    expect(sent(api)).toEqual(["create s0"]);
    api.release();
    await world.settle();
    expect(seen[1]).toBe(1);
  });

  test("after a delete", async () => {
    const watches = [watch(Pods), watchMapped(ConfigMaps, (each) => [keyOf(each)])];
    const { api, world, start } = setUp([{ ...podController((each) => [remove(each)]), watches }]);
    api.put(Pods, pod("a"));
    api.beforeWrite = () => api.hold(Pods);
    await start();
    api.put(ConfigMaps, map("a"));
    await world.advance(4000);
    expect(sent(api)).toEqual(["delete a"]);
    api.release();
    await world.settle();
    expect(sent(api)).toEqual(["delete a"]);
  });

  test("for 5 s at most: then the kind is listed anew", async () => {
    const seen: number[] = [];
    const { api, world, start } = setUp([
      controller((each, secrets) => {
        seen.push(secrets.length);
        return { writes: secrets.length === 0 ? [create(Secrets, secret("s", each))] : [], lookAgainIn: 10 };
      }),
    ]);
    api.put(ConfigMaps, map("a"));
    api.beforeWrite = () => api.hold(Secrets);
    await start();
    await world.advance(4900);
    expect(seen).toEqual([0]);
    await world.advance(200);
    expect(seen.slice(0, 2)).toEqual([0, 1]);
    expect(sent(api)).toEqual(["create s"]);
  });

  test("and after a write whose fate is unknown, only one that was listed since", async () => {
    const seen: number[] = [];
    const { api, world, start } = setUp([
      controller((each, secrets) => {
        seen.push(secrets.length);
        return { writes: secrets.length === 0 ? [create(Secrets, secret("s", each))] : [] };
      }),
    ]);
    api.put(ConfigMaps, map("a"));
    api.beforeWrite = () => api.hold(Secrets);
    api.afterWrite = () => {
      throw internalError("the answer was lost");
    };
    await start();
    await world.advance(100);
    expect(seen[1]).toBe(1);
    expect(sent(api)).toEqual(["create s"]);
  });
});

describe("watches", () => {
  const collecting = (looks: string[], extra: Partial<Controller> = {}): Controller => ({
    name: "collecting",
    watches: [watch(ConfigMaps)],
    observe: (key, cache) => cache.get(ConfigMaps, key),
    decide: (each) => {
      looks.push((each as { metadata: { name: string } }).metadata.name);
      return {};
    },
    ...extra,
  });

  test("resume after they end, without a new list", async () => {
    const looks: string[] = [];
    const { api, world, start } = setUp([collecting(looks)]);
    await start();
    await world.advance(5000);
    api.endWatches();
    api.put(ConfigMaps, map("a"));
    await world.advance(2000);
    expect(looks).toEqual(["a"]);
    expect(api.lists).toBe(1);
  });

  test("list anew when their version is forgotten; what went meanwhile is told", async () => {
    const changes: string[] = [];
    const telling = watchMapped(ConfigMaps, (each) => [keyOf(each)]);
    const { api, world, start } = setUp([
      collecting([], {
        watches: [
          {
            ...telling,
            keys(before, after) {
              changes.push(`${before?.metadata.name ?? "-"} ${after?.metadata.name ?? "-"}`);
              return [];
            },
          },
        ],
      }),
    ]);
    const a = api.put(ConfigMaps, map("a"));
    await start();
    api.hold(ConfigMaps);
    api.drop(ConfigMaps, a);
    api.put(ConfigMaps, map("b"));
    api.endWatches(true);
    api.release();
    await world.advance(60_000);
    expect(changes).toEqual(["- a", "- b", "a -"]);
  });

  test("wait quietly for a kind that comes later", async () => {
    const looks: string[] = [];
    const { api, world, log, start } = setUp([collecting(looks)]);
    api.missing.add("configmaps");
    await start();
    await world.advance(120_000);
    expect(log).toEqual([]);
    api.missing.delete("configmaps");
    api.put(ConfigMaps, map("a"));
    await world.advance(31_000);
    expect(looks).toEqual(["a"]);
  });

  test("of all kinds cover those that appear later", async () => {
    const widgets: Resource = {
      group: "example.com",
      version: "v1",
      kind: "Widget",
      plural: "widgets",
      singular: "widget",
      shortNames: [],
      categories: [],
      namespaced: true,
      subresources: [],
    };
    const served: Resource[] = [ConfigMaps, CustomResourceDefinitions, APIServices];
    const looks: string[] = [];
    const all: Controller<Key> = {
      name: "all",
      watches: [watchAll((object) => [keyOf(object)], { indexes: [byOwner] })],
      observe(key, cache) {
        const found = cache.resources().filter((resource) => cache.get(resource, key));
        for (const { kind } of found) looks.push(`${kind} ${key.name}`);
        return key;
      },
      decide: () => ({}),
    };
    const { api, world, start } = setUp([all], { resources: async () => served });
    api.put(ConfigMaps, map("a"));
    await start();
    expect(looks).toEqual(["ConfigMap a"]);
    served.push(widgets);
    api.put(widgets, { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w", namespace } });
    api.put(
      CustomResourceDefinitions,
      newObject(CustomResourceDefinitions, { metadata: { name: "x" } } as CustomResourceDefinition),
    );
    await world.advance(1000);
    expect(looks).toContain("Widget w");
  });

  test("narrowed to a node hold only its pods", async () => {
    const looks: string[] = [];
    const { api, start } = setUp([
      collecting(looks, {
        watches: [watch(Pods, { fieldSelector: "spec.nodeName=one" })],
        observe: (key, cache) => cache.get(Pods, key),
      }),
    ]);
    api.put(Pods, { ...pod("a"), spec: { containers: [], nodeName: "one" } });
    api.put(Pods, { ...pod("b"), spec: { containers: [], nodeName: "two" } });
    await start();
    expect(looks).toEqual(["a"]);
  });
});

describe("sources and effects", () => {
  test("a new value of a source wakes its keys and is seen with its age", async () => {
    let set: (key: string, value: number | undefined) => void = () => undefined;
    const usage: Source<number> = {
      name: "usage",
      start: (give) => {
        set = give;
      },
      keys: (key) => [{ namespace, name: key }],
    };
    const seen: unknown[] = [];
    const { api, world, start } = setUp([
      {
        ...controller(() => ({})),
        sources: [usage],
        observe(key, cache) {
          seen.push(cache.source(usage, key.name));
          return undefined;
        },
      },
    ]);
    api.put(ConfigMaps, map("a"));
    await start();
    set("a", 7);
    await world.advance(50);
    api.put(ConfigMaps, map("a", { x: "1" }));
    await world.settle();
    expect(seen).toEqual([undefined, { value: 7, age: 0 }, { value: 7, age: 50 }]);
  });

  test("effects run after all writes, and a failing one is told and tried again", async () => {
    const order: string[] = [];
    const told: unknown[] = [];
    const { api, world, start } = setUp(
      [
        podController((each, { failedEffects }) => {
          told.push(failedEffects?.map(({ error, count }) => `${error.message} ${count}`));
          return [ready(each)];
        }),
      ].map(
        (each): Controller<Pod> => ({
          ...each,
          decide: (observed, context) => ({ ...each.decide(observed, context), effects: [{ to: "lamp", do: "on" }] }),
        }),
      ),
      {
        effects: {
          async lamp(state) {
            order.push(`${sent(api).length} writes, then ${state}`);
            if (order.length < 2) throw new Error("no current");
          },
        },
      },
    );
    api.put(Pods, pod("a"));
    await start();
    await world.advance(100);
    expect(order.slice(0, 2)).toEqual(["1 writes, then on", "1 writes, then on"]);
    expect(told[1]).toEqual(["no current 1"]);
  });

  test("stop waits for the write under way and begins no other", async () => {
    const { api, world, start } = setUp([
      controller((each) => ({ writes: ["one", "two"].map((name) => create(Secrets, secret(name, each))) })),
    ]);
    const { promise, resolve } = Promise.withResolvers<void>();
    api.beforeWrite = () => promise;
    api.put(ConfigMaps, map("a"));
    const running = await start();
    let stopped = false;
    const stopping = running.stop().then(() => {
      stopped = true;
    });
    await world.settle();
    expect(stopped).toBe(false);
    resolve();
    await stopping;
    expect(sent(api)).toEqual(["create one"]);
    expect((await api.list(Secrets)).items.length).toBe(1);
  });

  test("a group that is stopped amid its slow start begins no further batch", async () => {
    const { api, world, start } = setUp([
      controller((each) => ({
        writes: [together(["a", "b", "c"].map((name) => create(Secrets, secret(name, each))))],
      })),
    ]);
    const { promise, resolve } = Promise.withResolvers<void>();
    api.beforeWrite = () => promise;
    api.put(ConfigMaps, map("a"));
    const running = await start();
    const stopping = running.stop();
    await world.settle();
    resolve();
    await stopping;
    expect(sent(api)).toEqual(["create a"]);
  });
});
