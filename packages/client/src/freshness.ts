/**
 * When a cache has caught up with a write of our own. resourceVersions are compared within one kind only; of a deleted
 * object it is enough that it is gone, terminating, or another of that name.
 */
import type { KubeObject } from "@flotilla/objects";
import type { NamespacedName, Write } from "./api.ts";
import type { Informer } from "./informer.ts";
import { compareVersions } from "./versions.ts";

/** Longest wait for a watch to deliver; then the kind is listed anew. Milliseconds. */
const longestWait = 5000;

/** A write that has been done, and what is known of it. */
export interface Done {
  readonly write: Write;
  /** The API's answer; undefined: unknown, the write may or may not have been done. */
  readonly answer?: KubeObject;
  /** The cached resourceVersion when the write was sent. */
  readonly before?: string;
}

/** Resolves when none of the informers is older than the write, or is stopped. */
export async function caughtUp(informers: readonly Informer[], done: Done): Promise<void> {
  await Promise.all(
    informers.map(async (informer) => {
      // Nobody knows which version to wait for.
      if (!done.answer) return informer.relist();
      return (await informer.waitFor(() => hasSeen(informer, done), longestWait)) || informer.relist();
    }),
  );
}

export const targetOf = (write: Write, answer?: KubeObject): NamespacedName => {
  if (write.verb === "patch" || write.verb === "delete") return { namespace: write.namespace, name: write.name };
  const { namespace, name } = write.object.metadata;
  return { namespace, name: name || (answer?.metadata.name ?? "") };
};

function hasSeen(informer: Informer, { write, answer, before }: Done): boolean {
  const cached = informer.store.get(targetOf(write, answer));
  if (write.verb === "delete" || write.subresource === "eviction") {
    const uid = answer?.metadata.uid;
    return (
      !cached || cached.metadata.deletionTimestamp !== undefined || (uid !== undefined && cached.metadata.uid !== uid)
    );
  }
  // A token changes nothing.
  if (write.verb === "create" && write.subresource === "token") return true;
  const version = answer?.kind === write.resource.kind ? answer.metadata.resourceVersion : undefined;
  if (version === undefined) return cached === undefined || cached.metadata.resourceVersion !== before;
  if (compareVersions(informer.version, version) >= 0) return true;
  if (cached) return compareVersions(cached.metadata.resourceVersion, version) >= 0;
  return answer !== undefined && !informer.selects(answer);
}
