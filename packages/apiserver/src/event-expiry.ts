/** Events are news: they go an hour after they were last seen, so that the state does not grow with every day. Source: kube-apiserver --event-ttl */
import type { Clock } from "@flotilla/ambient";
import { type Event, Events, isNotFound } from "@flotilla/objects";
import type { Registry, RequestContext } from "./registry.ts";

const lifetime = 3600_000;
const lookEvery = 300_000;

/** Returns how to stop. `failed` hears of deletions that did not work; they are tried again at the next look. */
export function expireEvents(
  registry: Registry,
  clock: Clock,
  context: RequestContext,
  failed: (error: unknown) => void,
): () => void {
  let cancel = clock.after(lookEvery, look, { background: true });
  return () => cancel();

  function look(): void {
    cancel = clock.after(lookEvery, look, { background: true });
    const oldest = clock.now() - lifetime;
    for (const event of registry.list(Events).items as Event[]) {
      if (lastSeen(event) >= oldest) continue;
      const { namespace, name, resourceVersion } = event.metadata;
      // One that is seen again just now stays.
      registry
        .delete({ resource: Events, namespace, name }, { preconditions: { resourceVersion } }, context)
        .catch(later);
    }
  }

  function later(error: unknown): void {
    if (!isNotFound(error)) failed(error);
  }
}

function lastSeen({ metadata, eventTime, lastTimestamp, series }: Event): number {
  const times = [metadata.creationTimestamp, eventTime, lastTimestamp, series?.lastObservedTime];
  return Math.max(...times.map((time) => (time ? Date.parse(time) : 0)));
}
