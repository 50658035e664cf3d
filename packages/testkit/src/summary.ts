/** What a decision does, in few words; only what is there is said. */
import type { Context, Decision, Write } from "@flotilla/client";
import type { KubeObject } from "@flotilla/objects";

export interface Summary {
  creates?: number;
  updates?: string[];
  patches?: string[];
  deletes?: string[];
  status?: unknown;
  events?: string[];
  effects?: unknown[];
  lookAgainIn?: number;
}

/** Nothing has failed, and it is the simulation's first moment. */
export const calm: Context = { now: new Date("2026-01-01T00:00:00Z"), failures: [] };

/** All writes of a decision, groups opened. */
export const writesOf = ({ writes = [] }: Decision): Write[] =>
  writes.flatMap((item) => (item === undefined ? [] : "together" in item ? item.together : [item]));

export function summary(decision: Decision): Summary {
  const said: Summary = {};
  for (const write of writesOf(decision)) {
    if (write.verb === "delete") said.deletes = [...(said.deletes ?? []), write.name];
    else if (write.verb === "patch") said.patches = [...(said.patches ?? []), write.name];
    else if (write.verb === "create") said.creates = (said.creates ?? 0) + 1;
    else if (write.subresource === "status") said.status = (write.object as KubeObject & { status?: unknown }).status;
    else said.updates = [...(said.updates ?? []), write.object.metadata.name];
  }
  if (decision.events?.length) said.events = decision.events.map(({ reason }) => reason);
  if (decision.effects?.length) said.effects = decision.effects.map((effect) => effect.do);
  if (decision.lookAgainIn !== undefined) said.lookAgainIn = decision.lookAgainIn;
  return said;
}
