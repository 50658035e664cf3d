/** Conditions as workload controllers keep them: news only when status or reason change. */
import { getCondition } from "@flotilla/objects";

interface Condition {
  type: string;
  status: string;
  reason?: string;
  lastTransitionTime?: string;
}

/** As it was when status and reason are the same; else replaced, at the end. The time of transition moves only with the status. */
export function withCondition<C extends Condition>(conditions: readonly C[], next: C): C[] {
  const before = getCondition(conditions, next.type);
  if (before?.status === next.status && before.reason === next.reason) return [...conditions];
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : next.lastTransitionTime;
  return [...withoutCondition(conditions, next.type), { ...next, lastTransitionTime }];
}

export const withoutCondition = <C extends Condition>(conditions: readonly C[], type: string): C[] =>
  conditions.filter((condition) => condition.type !== type);
