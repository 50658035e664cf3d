import { ConfigMaps, type KubeObject } from "@flotilla/objects";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Change } from "../registry.ts";
import { world } from "./verbs.fixture.ts";

const namespace = "default";

interface Step {
  readonly name: string;
  readonly app: string;
  readonly verb: "put" | "delete" | "watch" | "settle";
}

interface Watcher {
  readonly selection: { namespace: string; labelSelector?: string };
  readonly start: readonly KubeObject[];
  readonly changes: Change[];
}

const steps = fc.array(
  fc.record<Step>({
    name: fc.constantFrom("a", "b", "c"),
    app: fc.constantFrom("x", "y"),
    verb: fc.constantFrom("put", "put", "put", "delete", "watch", "settle"),
  }),
  { maxLength: 30 },
);

const byName = (objects: Iterable<KubeObject>) =>
  Object.fromEntries([...objects].map((object) => [object.metadata.name, object]));

/** What a client knows that has listed and then followed. Throws where an event makes no sense to it. */
function replay({ start, changes }: Watcher): Record<string, KubeObject> {
  const known = new Map(start.map((object) => [object.metadata.name, object]));
  for (const { type, object } of changes) {
    const { name } = object.metadata;
    if (type === "ADDED" && known.has(name)) throw new Error(`${name} was added twice`);
    if (type !== "ADDED" && !known.has(name)) throw new Error(`${type} of ${name}, which was never added`);
    if (type === "DELETED") known.delete(name);
    else known.set(name, object);
  }
  return byName(known.values());
}

test("whoever lists and then watches, from whatever moment and through whatever selector, knows what a list says", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(1000), async (all, seed) => {
      const { registry, context, settle } = await world({ seed });
      const watchers: Watcher[] = [];
      const writes: Promise<unknown>[] = [];
      for (const { verb, name, app } of all) {
        const target = { resource: ConfigMaps, namespace, name };
        if (verb === "settle") await settle();
        else if (verb === "delete") writes.push(registry.delete(target, {}, context).catch(missing));
        else if (verb === "put") {
          const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, labels: { app } } };
          writes.push(registry.patch(target, { type: "apply", body, force: true }, context));
        } else {
          for (const labelSelector of [undefined, `app=${app}`]) {
            const selection = { namespace, ...(labelSelector ? { labelSelector } : {}) };
            const list = registry.list(ConfigMaps, selection);
            const watcher: Watcher = { selection, start: list.items, changes: [] };
            const { resourceVersion } = list.metadata;
            // Half of them come late: what they missed is replayed from the log.
            const follow = () =>
              registry.watch(
                ConfigMaps,
                { ...selection, resourceVersion },
                {
                  next: (change) => void watcher.changes.push(change),
                  end: (error) => {
                    throw error ?? new Error("ended");
                  },
                },
              );
            if (watchers.length % 2 === 0) follow();
            else writes.push(settle().then(follow));
            watchers.push(watcher);
          }
        }
      }
      await settle();
      await Promise.all(writes);
      await settle();
      for (const watcher of watchers) {
        expect(replay(watcher)).toEqual(byName(registry.list(ConfigMaps, watcher.selection).items));
        const versions = watcher.changes.map(({ object }) => Number(object.metadata.resourceVersion));
        expect(versions).toEqual(versions.toSorted((left, right) => left - right));
      }
    }),
    { numRuns: 40 },
  );
});

function missing(error: unknown): void {
  if (!(error instanceof Error && error.message.endsWith("not found"))) throw error;
}
