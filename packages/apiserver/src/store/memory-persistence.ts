/** State that lives as long as this value: for tests and the simulator, where a restarted store loads from it again. */
import type { KubeObject } from "@flotilla/objects";
import type { Persistence } from "./persistence.ts";

export function memoryPersistence(): Persistence {
  const objects = new Map<string, { resource: string; key: string; object: KubeObject }>();
  const revisions = new Map<string, number>();
  let revision = 0;
  return {
    load: () => ({ revision, revisions: new Map(revisions), objects: [...objects.values()] }),
    commit(changes) {
      for (const change of changes) {
        const id = `${change.resource} ${change.key}`;
        revision = Math.max(revision, change.revision);
        revisions.set(change.resource, change.revision);
        if (change.object) objects.set(id, { resource: change.resource, key: change.key, object: change.object });
        else objects.delete(id);
      }
    },
    close() {},
  };
}
