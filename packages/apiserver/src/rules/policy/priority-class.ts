/** PriorityClasses. Source: kubernetes pkg/apis/scheduling (v1/defaults.go, validation) */
import { forbiddenField, type PriorityClass } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { immutable, oneOf } from "../mistakes.ts";

/** Above are Kubernetes' own. */
const highest = 1_000_000_000;
const known = ["system-node-critical", "system-cluster-critical"];

export const priorityClasses: KindRules<PriorityClass> = {
  defaults(priority) {
    priority.preemptionPolicy ??= "PreemptLowerPriority";
  },
  validate({ metadata, value = 0, preemptionPolicy }) {
    const mistakes = oneOf("preemptionPolicy", preemptionPolicy, ["PreemptLowerPriority", "Never"]);
    if (metadata.name.startsWith("system-")) {
      if (!known.includes(metadata.name))
        mistakes.push(
          forbiddenField(
            "metadata.name",
            `priority class names with 'system-' prefix are reserved for system use only. error: ${metadata.name} is not a known system priority class`,
          ),
        );
    } else if (value > highest)
      mistakes.push(forbiddenField("value", `maximum allowed value of a user defined priority is ${highest}`));
    return mistakes;
  },
  validateUpdate: ({ value, preemptionPolicy }, before) => [
    ...(value === before.value ? [] : [forbiddenField("value", "may not be changed in an update.")]),
    ...(preemptionPolicy === before.preemptionPolicy ? [] : [immutable("preemptionPolicy", preemptionPolicy)]),
  ],
};
