import { type ConfigMap, ConfigMaps, forbidden, internalError, Pods, Secrets } from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { controller, map, namespace, pod, podController, ready, secret, sent, setUp } from "./runner.fixture.ts";
import { keyOf } from "./watches.ts";
import { create, patchMeta, remove, status, together, update } from "./writes.ts";

describe("writes", () => {
  const make = (each: ConfigMap, ...names: string[]) => names.map((name) => create(Secrets, secret(name, each)));

  test("run in order", async () => {
    const { api, start } = setUp([
      controller((each, secrets) => ({ writes: secrets.length > 0 ? [] : make(each, "one", "two", "three") })),
    ]);
    api.put(ConfigMaps, map("a"));
    await start();
    expect(sent(api)).toEqual(["create one", "create two", "create three"]);
  });

  test("together: 1, 2, 4, ... at once", async () => {
    const sizes: number[] = [];
    let open = 0;
    const { api, world, start } = setUp([
      controller((each, secrets) => ({
        writes: secrets.length > 0 ? [] : [together(make(each, ..."abcdefghij"))],
      })),
    ]);
    api.beforeWrite = async () => {
      open++;
      await new Promise<void>((resolve) => world.clock.after(10, resolve));
      if (open > 0) sizes.push(open);
      open = 0;
    };
    api.put(ConfigMaps, map("a"));
    await start();
    await world.advance(100);
    expect(sizes).toEqual([1, 2, 4, 3]);
  });

  test("together: a failure ends the group after its batch", async () => {
    const { api, start } = setUp([
      controller((each, _secrets, { failures }) => ({
        writes: failures.length > 0 ? [] : [together(make(each, ..."abcdefghij"))],
      })),
    ]);
    api.beforeWrite = (write) => {
      if (sent(api).length === 2 && write.verb === "create") throw forbidden(Secrets, "b", "exceeded quota");
    };
    api.put(ConfigMaps, map("a"));
    await start();
    expect(sent(api)).toEqual(["create a", "create b", "create c"]);
  });

  test("the first failure skips the rest and is told at the next look, with how often it has failed", async () => {
    const told: string[][] = [];
    const { api, world, start } = setUp([
      controller((each, _secrets, { failures }) => {
        told.push(failures.map(({ write, error, count }) => `${write.verb} ${count} ${error.message}`));
        return { writes: make(each, "one", "two") };
      }),
    ]);
    api.beforeWrite = () => {
      throw forbidden(Secrets, "one", "exceeded quota");
    };
    api.put(ConfigMaps, map("a"));
    await start();
    await world.advance(20);
    const message = 'secrets "one" is forbidden: exceeded quota';
    expect(told).toEqual([[], [`create 1 ${message}`], [`create 2 ${message}`]]);
    expect(new Set(sent(api))).toEqual(new Set(["create one"]));
  });

  test("a status is written although an earlier write has failed", async () => {
    const { api, start } = setUp([podController((pod) => [create(Secrets, secret("x", pod)), ready(pod)])]);
    api.beforeWrite = (write) => {
      if (write.verb === "create") throw forbidden(Secrets, "x", "exceeded quota");
    };
    api.put(Pods, pod("a"));
    await start();
    expect((await api.get(Pods, { namespace, name: "a" })).status?.phase).toBe("Running");
  });

  test("one that would change nothing is not sent", async () => {
    const { api, start } = setUp([
      podController((each) => [
        status(each, each.status),
        update({ ...each }),
        patchMeta(each, { labels: { app: "a" } }),
        {
          resource: Pods,
          verb: "patch",
          type: "json",
          ...keyOf(each),
          patch: [{ op: "test", path: "/kind", value: "Pod" }],
        },
      ]),
    ]);
    api.put(Pods, { ...pod("a"), status: { phase: "Running" } });
    await start();
    expect(sent(api)).toEqual([]);
  });

  test("an apply that would change nothing is not sent, one that would is", async () => {
    const wanted = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace }, data: { x: "1" } };
    const applied = {
      ...map("a", { x: "1" }),
      metadata: {
        name: "a",
        namespace,
        managedFields: [
          {
            manager: "m",
            operation: "Apply",
            apiVersion: "v1",
            fieldsType: "FieldsV1",
            fieldsV1: { "f:data": { "f:x": {} } },
          },
        ],
      },
    };
    const { api, world, start } = setUp([
      controller((each) => ({
        writes: [
          {
            resource: ConfigMaps,
            verb: "patch",
            type: "apply",
            ...keyOf(each),
            patch: wanted,
            fieldManager: "m",
            force: true,
          },
        ],
      })),
    ]);
    api.put(ConfigMaps, applied);
    await start();
    expect(sent(api)).toEqual([]);
    api.put(ConfigMaps, { ...applied, data: { x: "2" } });
    await world.settle();
    expect(sent(api)[0]).toBe("patch a");
  });

  test("a delete carries uid and resourceVersion of the cached object", async () => {
    const { api, start } = setUp([podController((each) => [{ resource: Pods, verb: "delete", ...keyOf(each) }])]);
    const { uid, resourceVersion } = api.put(Pods, pod("a")).metadata;
    await start();
    expect(api.writes[0]).toMatchObject({ verb: "delete", preconditions: { uid, resourceVersion } });
  });

  test("a delete of what is gone already has succeeded", async () => {
    const { api, log, start } = setUp([podController((each) => [remove(each)])]);
    const there = api.put(Pods, pod("a"));
    api.beforeWrite = () => void api.drop(Pods, there);
    await start();
    expect(sent(api)).toEqual(["delete a"]);
    expect(log).toEqual([]);
  });

  test("AlreadyExists of an object with our owner is success", async () => {
    const { api, world, log, start } = setUp([
      controller((each, secrets) => ({ writes: secrets.length > 0 ? [] : make(each, "one", "two") })),
    ]);
    let lost = 0;
    api.afterWrite = () => {
      if (lost++ === 0) throw internalError("the answer was lost");
    };
    // The first attempt took effect; a watch that lags makes the second one necessary.
    api.put(ConfigMaps, map("a"));
    await start();
    await world.advance(20);
    expect(log.map(({ message }) => message)).toEqual(["cannot create secrets"]);
    expect((await api.list(Secrets)).items.map(({ metadata }) => metadata.name)).toEqual(["one"]);
  });

  test("AlreadyExists of somebody else's object is a failure", async () => {
    const told: string[] = [];
    const { api, world, start } = setUp([
      controller((each, _secrets, { failures }) => {
        told.push(...failures.map(({ error }) => error.message));
        return { writes: make(each, "one") };
      }),
    ]);
    api.put(Secrets, secret("one"));
    api.put(ConfigMaps, map("a"));
    await start();
    await world.advance(6);
    expect(told[0]).toBe('secrets "one" already exists');
  });

  test("a conflict is tried again soon and is not told", async () => {
    const told: unknown[] = [];
    const { api, world, log, start } = setUp([
      podController((each, { failures }) => {
        told.push(...failures);
        return [ready(each)];
      }),
    ]);
    api.put(Pods, pod("a"));
    api.beforeWrite = () => {
      if (api.writes.length === 1)
        api.put(Pods, { ...pod("a"), metadata: { ...pod("a").metadata, labels: { by: "them" } } });
    };
    await start();
    await world.advance(20);
    expect((await api.get(Pods, { namespace, name: "a" })).status?.phase).toBe("Running");
    expect(told).toEqual([]);
    expect(log).toEqual([]);
  });

  test("two writes of one decision to one object do not stand in each other's way", async () => {
    const { api, log, start } = setUp([
      podController((each) => [patchMeta(each, { annotations: { revision: "2" } }), ready(each)]),
    ]);
    api.put(Pods, pod("a"));
    await start();
    expect(await api.get(Pods, { namespace, name: "a" })).toMatchObject({
      metadata: { annotations: { revision: "2" } },
      status: { phase: "Running" },
    });
    expect(sent(api)).toEqual(["patch a", "update a"]);
    expect(log).toEqual([]);
  });
});
