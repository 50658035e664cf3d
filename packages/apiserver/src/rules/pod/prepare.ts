/** What a new pod is given that no client may say. Source: kubernetes pkg/registry/core/pod/strategy.go */
import type { LabelSelector, Pod, PodAffinityTerm } from "@flotilla/objects";
import { qosClass } from "./qos.ts";

export function preparePod(pod: Pod, before: Pod | undefined): void {
  if (before) return;
  pod.status = { phase: "Pending", qosClass: qosClass(pod.spec) };
  if (pod.spec.schedulingGates?.length) {
    pod.status.conditions = [
      {
        type: "PodScheduled",
        status: "False",
        reason: "SchedulingGated",
        message: "Scheduling is blocked due to non-empty scheduling gates",
      },
    ];
  }
  mergeLabelKeys(pod);
}

/** Label keys of affinity and spread become part of the selectors, with the pod's own values. */
function mergeLabelKeys({ metadata, spec }: Pod): void {
  const labels = metadata.labels ?? {};
  const merge = (selector: LabelSelector | undefined, keys: readonly string[] = [], operator: "In" | "NotIn") => {
    if (!selector) return;
    for (const key of keys) {
      const value = labels[key];
      if (value === undefined) continue;
      selector.matchExpressions = [...(selector.matchExpressions ?? []), { key, operator, values: [value] }];
    }
  };
  const terms: PodAffinityTerm[] = [];
  for (const affinity of [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity]) {
    terms.push(...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []));
    for (const { podAffinityTerm } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
      terms.push(podAffinityTerm);
  }
  for (const { labelSelector, matchLabelKeys, mismatchLabelKeys } of terms) {
    merge(labelSelector, matchLabelKeys, "In");
    merge(labelSelector, mismatchLabelKeys, "NotIn");
  }
  for (const { labelSelector, matchLabelKeys } of spec.topologySpreadConstraints ?? [])
    merge(labelSelector, matchLabelKeys, "In");
}
