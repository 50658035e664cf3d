/** Follows one object of an API that may not be there yet, may go away and may come back. */
import { sleep, systemClock } from "@flotilla/ambient";
import type { Api, NamespacedName } from "@flotilla/client";
import { isNotFound, type KubeObject, type Resource } from "@flotilla/objects";

/** Yields the object as it is and after each change, until `signal`. Waits while it or the API is not there. */
export async function* follow<T extends KubeObject>(
  api: Api,
  resource: Resource<T>,
  key: NamespacedName,
  signal: AbortSignal,
): AsyncGenerator<T> {
  while (!signal.aborted) {
    try {
      const object = await api.get(resource, key);
      yield object;
      const changes = api.watch(resource, {
        namespace: key.namespace,
        fieldSelector: `metadata.name=${key.name}`,
        resourceVersion: object.metadata.resourceVersion,
        signal,
      });
      for await (const change of changes)
        if (change.type === "ADDED" || change.type === "MODIFIED") yield change.object as T;
    } catch (error) {
      if (signal.aborted) return;
      // Not there yet, restarting, or a version too old: all are answered by asking anew.
      if (!isNotFound(error) && process.env.FLOTILLA_DEBUG) console.error(error);
      await sleep(systemClock, 50, signal).catch(() => {});
    }
  }
}
