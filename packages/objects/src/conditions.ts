/** Conditions in a status. They work on every kind's own condition type: only `type` and `status` need to be there. */

interface ConditionLike {
  type: string;
  status: string;
  lastTransitionTime?: string;
}

export const getCondition = <C extends ConditionLike>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined => conditions?.find((condition) => condition.type === type);

/** Whether the condition is there and "True". */
export const isTrue = (conditions: readonly ConditionLike[] | undefined, type: string): boolean =>
  getCondition(conditions, type)?.status === "True";

/**
 * The list with this condition in it, in the place of the one of its type. lastTransitionTime is `now` when the status is new
 * or another than before, else what it was.
 */
export function setCondition<C extends ConditionLike>(
  conditions: readonly C[] | undefined,
  condition: Omit<C, "lastTransitionTime">,
  now: Date,
): C[] {
  const before = getCondition(conditions, condition.type);
  const lastTransitionTime =
    before?.lastTransitionTime !== undefined && before.status === condition.status
      ? before.lastTransitionTime
      : timeOf(now);
  const after = { ...condition, lastTransitionTime } as C;
  return before ? (conditions ?? []).map((each) => (each === before ? after : each)) : [...(conditions ?? []), after];
}

/** A Date as Kubernetes writes times: whole seconds, UTC. */
export const timeOf = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

/** As `timeOf`, with microseconds. */
export const microTimeOf = (date: Date): string => `${date.toISOString().slice(0, 23)}000Z`;
