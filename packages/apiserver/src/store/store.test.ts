import { simulation } from "@flotilla/ambient";
import type { KubeObject } from "@flotilla/objects";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Committed } from "./change-log.ts";
import { memoryPersistence } from "./memory-persistence.ts";
import type { Persistence } from "./persistence.ts";
import { Store } from "./store.ts";

const object = (name: string, value = 0): KubeObject & { value: number } => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "n" },
  value,
});

const put = (store: Store, name: string, value?: number) =>
  store.transact((transaction) => transaction.put("configmaps", `n/${name}`, object(name, value)));

const names = (store: Store) => store.list("configmaps").map(({ metadata }) => metadata.name);

/** Fails, or waits, when told to. */
function touchy(): Persistence & { fail?: Error; gate?: Promise<void>; commits: number } {
  const memory = memoryPersistence();
  const self: Persistence & { fail?: Error; gate?: Promise<void>; commits: number } = {
    ...memory,
    commits: 0,
    async commit(changes) {
      self.commits++;
      const failure = self.fail;
      await self.gate;
      if (failure) throw failure;
      await memory.commit(changes);
    },
  };
  return self;
}

describe("writes", () => {
  test("are seen by no reader and no watcher before they are durable", async () => {
    const { clock, settle } = simulation(1);
    const store = new Store(memoryPersistence(), clock);
    const seen: Committed[] = [];
    store.subscribe("configmaps", (change) => seen.push(change));
    const written = put(store, "a");
    expect(names(store)).toEqual([]);
    expect(seen).toEqual([]);
    await settle();
    await written;
    expect(names(store)).toEqual(["a"]);
    expect(seen).toMatchObject([{ revision: 1, key: "n/a", before: undefined }]);
  });

  test("are checked against what others have staged in the same turn", async () => {
    const { clock, settle } = simulation(1);
    const store = new Store(memoryPersistence(), clock);
    const first = put(store, "a");
    const second = store.transact((transaction) => transaction.get("configmaps", "n/a")?.metadata.name);
    await settle();
    await first;
    expect(await second).toBe("a");
  });

  test("of one turn are one commit", async () => {
    const { clock, settle } = simulation(1);
    const persistence = touchy();
    const store = new Store(persistence, clock);
    const all = Promise.all([put(store, "a"), put(store, "b"), put(store, "a", 2)]);
    await settle();
    await all;
    expect(persistence.commits).toBe(1);
    expect(store.revision).toBe(3);
  });

  test("that throw leave nothing behind", async () => {
    const { clock, settle } = simulation(1);
    const store = new Store(memoryPersistence(), clock);
    const failed = store.transact((transaction) => {
      transaction.put("configmaps", "n/a", object("a"));
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    const count = store.transact((transaction) => transaction.list("configmaps").length);
    await settle();
    expect(await count).toBe(0);
  });

  test("in a dry run leave nothing behind either", async () => {
    const { clock, settle } = simulation(1);
    const store = new Store(memoryPersistence(), clock);
    const made = object("a");
    await store.transact((transaction) => transaction.put("configmaps", "n/a", made), { dryRun: true });
    await settle();
    expect(made.metadata.resourceVersion).toBeUndefined();
    expect(names(store)).toEqual([]);
    expect(store.revision).toBe(0);
  });
});

describe("a commit that fails", () => {
  test("refuses every writer of its turn and everything built on it; reads still show the old", async () => {
    const { clock, settle } = simulation(1);
    const persistence = touchy();
    const store = new Store(persistence, clock);
    const before = put(store, "old");
    await settle();
    await before;

    persistence.fail = new Error("disk full");
    let open: () => void = () => undefined;
    persistence.gate = new Promise((resolve) => {
      open = resolve;
    });
    const outcomes = [put(store, "a"), put(store, "b")].map((each) => each.catch((error: Error) => error.message));
    await settle();
    // Staged while the commit is under way: it saw "a".
    const above = store
      .transact((transaction) =>
        transaction.put("configmaps", "n/c", object(transaction.get("configmaps", "n/a") ? "c" : "?")),
      )
      .catch((error: Error) => error.message);
    delete persistence.fail;
    open();
    await settle();
    expect(await Promise.all([...outcomes, above])).toEqual(["disk full", "disk full", "disk full"]);
    expect(names(store)).toEqual(["old"]);

    const later = put(store, "later");
    await settle();
    await later;
    expect(names(store)).toEqual(["later", "old"]);
  });
});

describe("revisions", () => {
  test("go on after a restart, also when everything was deleted", async () => {
    const { clock, settle } = simulation(1);
    const persistence = memoryPersistence();
    const store = new Store(persistence, clock);
    const all = [put(store, "a"), store.transact((transaction) => transaction.remove("configmaps", "n/a"))];
    await settle();
    await Promise.all(all);
    await store.close();
    const again = new Store(persistence, clock);
    expect(again.revision).toBe(2);
    const next = put(again, "b");
    await settle();
    await next;
    expect(again.get("configmaps", "n/b")?.metadata.resourceVersion).toBe("3");
  });

  test("too far back are no longer known, of busy resources only", async () => {
    const { clock, settle } = simulation(1);
    const store = new Store(memoryPersistence(), clock);
    const quiet = store.transact((transaction) => transaction.put("secrets", "n/s", object("s")));
    const busy = Promise.all(Array.from({ length: 2000 }, (_, value) => put(store, "a", value)));
    await settle();
    await Promise.all([quiet, busy]);
    expect(store.changesAfter("configmaps", 1)).toBeUndefined();
    expect(store.changesAfter("secrets", 1)).toEqual([]);
    expect(store.changesAfter("configmaps", store.revision - 400)).toHaveLength(400);
  });

  test("close commits what is staged", async () => {
    const { clock } = simulation(1);
    const persistence = memoryPersistence();
    const store = new Store(persistence, clock);
    const written = put(store, "a");
    await store.close();
    await written;
    expect([...persistence.load().objects]).toHaveLength(1);
    await expect(put(store, "b")).rejects.toThrow("closed");
  });
});

describe("whatever is written, in whatever turns", () => {
  type Step = { name: string; value: number; remove: boolean; settle: boolean };
  const steps = fc.array(
    fc.record({
      name: fc.constantFrom("a", "b", "c", "d"),
      value: fc.nat(3),
      remove: fc.boolean(),
      settle: fc.boolean(),
    }) satisfies fc.Arbitrary<Step>,
    { maxLength: 40 },
  );

  async function run(all: readonly Step[], seed: number) {
    const { clock, settle } = simulation(seed);
    const store = new Store(memoryPersistence(), clock);
    const live: Committed[] = [];
    store.subscribe("configmaps", (change) => live.push(change));
    /** What a reader saw at each revision. */
    const states = new Map<number, KubeObject[]>([[0, []]]);
    const waiting: Promise<unknown>[] = [];
    for (const step of all) {
      waiting.push(
        store.transact((transaction) => {
          const key = `n/${step.name}`;
          if (!step.remove) transaction.put("configmaps", key, object(step.name, step.value));
          else if (transaction.get("configmaps", key)) transaction.remove("configmaps", key);
        }),
      );
      if (!step.settle) continue;
      await settle();
      states.set(store.revision, store.list("configmaps"));
    }
    await settle();
    await Promise.all(waiting);
    return { store, live, states };
  }

  const replay = (objects: readonly KubeObject[], changes: readonly Committed[]) => {
    const state = new Map(objects.map((each) => [each.metadata.name, each]));
    for (const { key, after } of changes) {
      if (after) state.set(after.metadata.name, after);
      else state.delete(key.slice(2));
    }
    return [...state.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  };

  test("replaying the changes from any revision gives the listed state", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(1000), async (all, seed) => {
        const { store, live, states } = await run(all, seed);
        expect(replay([], live)).toEqual(store.list("configmaps"));
        for (const [revision, objects] of states) {
          expect(store.listAt("configmaps", revision)).toEqual(objects);
          expect(replay(objects, store.changesAfter("configmaps", revision) ?? [])).toEqual(store.list("configmaps"));
        }
        const revisions = live.map(({ revision }) => revision);
        expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
      }),
      { numRuns: 100 },
    );
  });
});
