/** What holds for every `Persistence`. `reopen` gives one over the same state, as after a restart. */
import type { KubeObject } from "@flotilla/objects";
import { expect, test } from "vitest";
import type { Persistence } from "./persistence.ts";

const object = (name: string, value: string): KubeObject & { data: unknown } => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "n" },
  data: { value },
});

const put = (name: string, value: string, revision: number) => ({
  resource: "configmaps",
  key: `n/${name}`,
  revision,
  object: object(name, value),
});

export function persistenceCases(make: () => { persistence: Persistence; reopen(): Persistence }): void {
  const after = async (run: (persistence: Persistence) => Promise<void>) => {
    const { persistence, reopen } = make();
    persistence.load();
    await run(persistence);
    const again = reopen();
    const state = again.load();
    const objects = [...state.objects].map(({ resource, key, object }) => ({ resource, key, object }));
    again.close();
    return { revision: state.revision, revisions: Object.fromEntries(state.revisions), objects };
  };

  test("begins empty", async () => {
    expect(await after(async () => undefined)).toEqual({ revision: 0, revisions: {}, objects: [] });
  });

  test("has what was committed, as it was last", async () => {
    const state = await after(async (persistence) => {
      await persistence.commit([put("a", "1", 1), put("b", "ü\u0000\u2028", 2)]);
      await persistence.commit([put("a", "2", 3)]);
    });
    expect(state.objects).toEqual([
      { resource: "configmaps", key: "n/a", object: object("a", "2") },
      { resource: "configmaps", key: "n/b", object: object("b", "ü\u0000\u2028") },
    ]);
    expect(state.revision).toBe(3);
  });

  test("never goes back in its revisions, also when all is deleted", async () => {
    const state = await after(async (persistence) => {
      await persistence.commit([put("a", "1", 1), { ...put("s", "1", 2), resource: "secrets" }]);
      await persistence.commit([{ ...put("a", "1", 3), object: undefined }]);
      await persistence.commit([{ ...put("s", "1", 7), resource: "secrets", object: undefined }]);
    });
    expect(state).toEqual({ revision: 7, revisions: { configmaps: 3, secrets: 7 }, objects: [] });
  });

  test("keeps objects of one name in different resources apart", async () => {
    const state = await after(async (persistence) => {
      await persistence.commit([put("a", "1", 1), { ...put("a", "2", 2), resource: "secrets" }]);
      await persistence.commit([{ ...put("a", "", 3), object: undefined }]);
    });
    expect(state.objects).toEqual([{ resource: "secrets", key: "n/a", object: object("a", "2") }]);
  });
}
