/** watch: the committed changes of one resource, narrowed to a selection. */
import type { WatchOptions } from "@flotilla/client";
import { apiVersionOf, expired, type KubeObject, type Resource, resourceName } from "@flotilla/objects";
import type { Change, ChangeStream, WatchListener } from "../registry.ts";
import type { Committed } from "../store/change-log.ts";
import type { Parts } from "./parts.ts";
import { versionNumber } from "./reading.ts";
import { type Selector, selectorOf } from "./selection.ts";

/** Source: apiserver pkg/storage/cacher (bookmarks about once a minute). */
const bookmarkEvery = 60_000;

const initialEventsEnd = "k8s.io/initial-events-end";

/**
 * Throws for a request that cannot be read; all else reaches the listener, never before `watch` has returned and always in
 * the order of the commits.
 */
export function watchObjects(
  parts: Parts,
  asked: Resource,
  options: WatchOptions,
  listener: WatchListener,
): ChangeStream {
  const resource = parts.served.mustServe(asked);
  const { store, clock } = parts;
  const name = resourceName(resource);
  const selector = selectorOf(resource, options);
  const namespace = resource.namespaced ? options.namespace : undefined;
  const from = versionNumber(options.resourceVersion);

  const start = initialChanges();
  let queue: Change[] | undefined = start.changes;
  let open = true;
  const stops: (() => void)[] = [];

  const close = () => {
    open = false;
    for (const stop of stops) stop();
  };
  const end = (error?: Error) => {
    if (!open) return;
    close();
    listener.end(error);
  };
  const deliver = (change: Change) => {
    if (queue) queue.push(change);
    else listener.next(change);
  };

  if (!start.error) {
    stops.push(
      store.subscribe(name, (change) => {
        const selected = inNamespace(change, namespace) && select(change, selector);
        if (selected && open) deliver(selected);
      }),
    );
    stops.push(parts.served.onEnd(() => end()));
    if (options.allowWatchBookmarks) stops.push(repeat(() => deliver(bookmark(resource, store.revision))));
    if (options.timeoutSeconds)
      stops.push(clock.after(options.timeoutSeconds * 1000, () => end(), { background: true }));
  }
  queueMicrotask(() => {
    const first = queue ?? [];
    queue = undefined;
    for (const change of first) if (open) listener.next(change);
    if (start.error) end(start.error);
  });
  return { close };

  function initialChanges(): { changes: Change[]; error?: Error } {
    if (from === 0 || options.sendInitialEvents) {
      if (from > store.revision) return { changes: [], error: tooOld(from, store.revision) };
      if (options.sendInitialEvents === false) return { changes: [] };
      const changes: Change[] = store
        .list(name, namespace)
        .filter(selector.matches)
        .map((object) => ({ type: "ADDED", object }));
      if (options.sendInitialEvents) changes.push(bookmark(resource, store.revision, { [initialEventsEnd]: "true" }));
      return { changes };
    }
    // A version that was never reached comes from a state that is gone; like one too old, it calls for a new list.
    const missed = from > store.revision ? undefined : store.changesAfter(name, from);
    if (!missed) return { changes: [], error: tooOld(from, store.oldestRevision(name)) };
    return {
      changes: missed.flatMap((change) => (inNamespace(change, namespace) && select(change, selector)) || []),
    };
  }

  function repeat(run: () => void): () => void {
    let cancel = clock.after(bookmarkEvery, again, { background: true });
    function again() {
      cancel = clock.after(bookmarkEvery, again, { background: true });
      run();
    }
    return () => cancel();
  }
}

const tooOld = (from: number, oldest: number) => expired(`too old resource version: ${from} (${oldest})`);

const inNamespace = ({ key }: Committed, namespace: string | undefined) =>
  namespace === undefined || key.startsWith(`${namespace}/`);

/** An object that enters the selection is ADDED to it, one that leaves it is DELETED from it. */
function select({ before, after, revision }: Committed, selector: Selector): Change | undefined {
  const was = before !== undefined && selector.matches(before);
  const is = after !== undefined && selector.matches(after);
  if (is) return { type: was ? "MODIFIED" : "ADDED", object: after };
  if (!was) return undefined;
  const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(revision) } };
  return { type: "DELETED", object };
}

function bookmark(resource: Resource, revision: number, annotations?: Record<string, string>): Change {
  const metadata = { resourceVersion: String(revision), creationTimestamp: null, ...(annotations && { annotations }) };
  const object = { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata };
  // A bookmark is an object of the kind with nothing in it, not even a name.
  return { type: "BOOKMARK", object: object as unknown as KubeObject };
}
