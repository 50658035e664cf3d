/**
 * Several writes of one decision to one object: each names the version that was observed, which the first has replaced.
 * Where that write itself was conditional on the observed version, nobody else's change lies between, and the next one
 * may name the new version instead. Not so a whole update: it would take back what the first has changed.
 */
import { type KubeObject, resourceName } from "@flotilla/objects";
import type { Write } from "./api.ts";
import { targetOf } from "./freshness.ts";

export class Rebase {
  readonly #moved = new Map<string, { readonly from: string; readonly now: KubeObject }>();

  /** The write as it must be sent now. */
  apply(write: Write): Write {
    const moved = this.#moved.get(idOf(write));
    return moved && versionIn(write) === moved.from ? onto(write, moved.now) : write;
  }

  /** After `write`, as sent, was answered. */
  note(write: Write, answer: KubeObject | undefined): void {
    const sent = versionIn(write);
    if (sent === undefined || write.verb === "create" || write.verb === "delete") return;
    if (!answer?.metadata.resourceVersion || answer.kind !== write.resource.kind) return;
    const id = idOf(write);
    this.#moved.set(id, { from: this.#moved.get(id)?.from ?? sent, now: answer });
  }
}

const idOf = (write: Write): string => {
  const { namespace, name } = targetOf(write);
  return `${resourceName(write.resource)} ${namespace ?? ""}/${name}`;
};

/** The version on which the write is conditional. */
function versionIn(write: Write): string | undefined {
  switch (write.verb) {
    case "create":
      return write.subresource ? write.object.metadata.resourceVersion : undefined;
    case "update":
      return write.object.metadata.resourceVersion;
    case "delete":
      return write.preconditions?.resourceVersion;
    case "patch":
      return isMerge(write) ? metadataOf(write.patch)?.resourceVersion : undefined;
  }
}

function onto(write: Write, now: KubeObject): Write {
  const { resourceVersion } = now.metadata;
  switch (write.verb) {
    case "create":
      return { ...write, object: { ...write.object, metadata: { ...write.object.metadata, resourceVersion } } };
    case "update":
      if (write.subresource !== "status") return write;
      return { ...write, object: { ...now, status: (write.object as { status?: unknown }).status } as KubeObject };
    case "delete":
      return { ...write, preconditions: { ...write.preconditions, resourceVersion } };
    case "patch": {
      const metadata = { ...metadataOf(write.patch), resourceVersion };
      return { ...write, patch: { ...(write.patch as object), metadata } };
    }
  }
}

const isMerge = (write: Write & { verb: "patch" }): boolean => write.type === "merge" || write.type === "strategic";

const metadataOf = (patch: unknown): { resourceVersion?: string } | undefined =>
  (patch as { metadata?: { resourceVersion?: string } } | undefined)?.metadata;
