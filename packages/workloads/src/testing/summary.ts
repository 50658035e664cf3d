/** What a decision does, in few words. */
import type { Decision, Write } from "@flotilla/client";
import type { KubeObject } from "@flotilla/objects";

export interface Summary {
  creates?: number;
  updates?: string[];
  patches?: string[];
  deletes?: string[];
}

export const writesOf = (decision: Decision): Write[] =>
  (decision.writes ?? []).flatMap((item) => (item === undefined ? [] : "together" in item ? item.together : [item]));

const isStatus = (write: Write) => write.verb !== "delete" && write.subresource === "status";

/** Writes of a status are left out: see `statusOf`. */
export function summary(decision: Decision): Summary {
  const out: Summary = {};
  for (const write of writesOf(decision)) {
    if (isStatus(write)) continue;
    if (write.verb === "create") out.creates = (out.creates ?? 0) + 1;
    else if (write.verb === "update") out.updates = [...(out.updates ?? []), write.object.metadata.name];
    else if (write.verb === "patch") out.patches = [...(out.patches ?? []), write.name];
    else out.deletes = [...(out.deletes ?? []), write.name];
  }
  return out;
}

/** The status that it writes. */
export function statusOf<S = Record<string, unknown>>(decision: Decision): S {
  const write = writesOf(decision).find((each) => each.verb === "update" && each.subresource === "status");
  if (write?.verb !== "update") throw new Error("no status is written");
  return (write.object as KubeObject & { status: S }).status;
}

/** The objects that it creates. */
export const createdBy = <T extends KubeObject = KubeObject>(decision: Decision): T[] =>
  writesOf(decision).flatMap((write) => (write.verb === "create" && !write.subresource ? [write.object as T] : []));

export const eventsOf = (decision: Decision): string[] => (decision.events ?? []).map(({ reason }) => reason);
