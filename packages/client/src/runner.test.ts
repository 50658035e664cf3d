import { ConfigMaps, Pods, Secrets } from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { controller, map, namespace, secret, setUp } from "./runner.fixture.ts";

describe("looks", () => {
  test("everything that exists is looked at once at the start", async () => {
    const looks: string[] = [];
    const { api, start } = setUp([
      controller((each) => {
        looks.push(each.metadata.name);
        return {};
      }),
    ]);
    const owner = api.put(ConfigMaps, map("a"));
    api.put(ConfigMaps, map("b"));
    api.put(Secrets, secret("owned", owner));
    await start();
    expect(looks).toEqual(["a", "b"]);
  });

  test("a burst of changes is one wake-up", async () => {
    const seen: unknown[] = [];
    const { api, world, start } = setUp([
      controller(({ data }) => {
        seen.push(data?.n);
        return {};
      }),
    ]);
    await start();
    api.hold(ConfigMaps);
    for (let n = 0; n < 50; n++) api.put(ConfigMaps, map("a", { n: String(n) }));
    api.release();
    await world.settle();
    expect(seen.length).toBeLessThan(3);
    expect(seen.at(-1)).toBe("49");
  });

  test("one key is looked at one at a time, others go on meanwhile", async () => {
    let under = 0;
    let most = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const looks: string[] = [];
    const { api, world, start } = setUp(
      [
        controller((each) => {
          looks.push(each.metadata.name);
          return { effects: each.metadata.name === "a" ? [{ to: "world", do: 1 }] : [] };
        }),
      ],
      {
        effects: {
          async world() {
            most = Math.max(most, ++under);
            await promise;
            under--;
          },
        },
      },
    );
    api.put(ConfigMaps, map("a"));
    await start();
    api.put(ConfigMaps, map("a", { changed: "yes" }));
    api.put(ConfigMaps, map("b"));
    await world.settle();
    expect(looks).toEqual(["a", "b"]);
    resolve();
    await world.settle();
    expect(looks).toEqual(["a", "b", "a"]);
    expect(most).toBe(1);
  });

  test("looks again when asked to, by the clock it is told", async () => {
    const times: number[] = [];
    const { api, world, start } = setUp([
      controller((_map, _secrets, { now }) => {
        times.push(now.getTime());
        return times.length < 3 ? { lookAgainIn: 60_000 } : {};
      }),
    ]);
    api.put(ConfigMaps, map("a"));
    await start();
    await world.advance(600_000);
    expect(times.map((time) => time - (times[0] as number))).toEqual([0, 60_000, 120_000]);
  });

  test("a decision that throws is logged with its key, retried with growing delay, and harms no other", async () => {
    const times: number[] = [];
    const others: string[] = [];
    const throwing = controller((_map, _secrets, { now }) => {
      times.push(now.getTime());
      throw new Error("a bug");
    }, "throwing");
    const sound = controller((each) => {
      others.push(each.metadata.name);
      return {};
    }, "sound");
    const { api, world, log, start } = setUp([throwing, sound]);
    api.put(ConfigMaps, map("a"));
    await start();
    await world.advance(700);
    const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
    expect(gaps.length).toBeGreaterThan(5);
    for (const [index, gap] of gaps.entries()) {
      expect(gap).toBeLessThanOrEqual(5 * 2 ** index);
      expect(gap).toBeGreaterThanOrEqual(4 * 2 ** index);
    }
    expect(others).toEqual(["a"]);
    expect(log[0]).toMatchObject({ controller: "throwing", key: { namespace, name: "a" } });
  });

  test("reading a kind that is not watched is a bug that is named", async () => {
    const { api, log, start } = setUp([
      { ...controller(() => ({})), observe: (key, cache) => cache.get(Pods, key) as never },
    ]);
    api.put(ConfigMaps, map("a"));
    await start();
    expect(String(log[0]?.error)).toContain("controller test reads pods v1 but has no watch for it");
  });
});
