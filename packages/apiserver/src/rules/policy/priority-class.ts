/** PriorityClasses. Source: kubernetes pkg/apis/scheduling (v1/defaults.go, validation) */
import type { PriorityClass } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";

export const priorityClasses: KindRules<PriorityClass> = {
  defaults(priority) {
    priority.preemptionPolicy ??= "PreemptLowerPriority";
  },
};
