/** PodDisruptionBudgets. Source: kubernetes pkg/apis/policy/validation */
import { invalidValue, type PodDisruptionBudget } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { atMostAll, countOrPercent, oneOf, selectorMistakes } from "../mistakes.ts";

export const disruptionBudgets: KindRules<PodDisruptionBudget> = {
  validate({ spec }) {
    if (!spec) return [];
    const { minAvailable, maxUnavailable } = spec;
    const mistakes = [
      ...countOrPercent("spec.minAvailable", minAvailable),
      ...atMostAll("spec.minAvailable", minAvailable),
      ...countOrPercent("spec.maxUnavailable", maxUnavailable),
      ...atMostAll("spec.maxUnavailable", maxUnavailable),
      ...selectorMistakes("spec.selector", spec.selector),
      ...oneOf("spec.unhealthyPodEvictionPolicy", spec.unhealthyPodEvictionPolicy, ["AlwaysAllow", "IfHealthyBudget"]),
    ];
    if (minAvailable !== undefined && maxUnavailable !== undefined)
      mistakes.push(invalidValue("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
    return mistakes;
  },
};
