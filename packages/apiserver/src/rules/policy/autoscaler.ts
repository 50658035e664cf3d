/** HorizontalPodAutoscalers. Source: kubernetes pkg/apis/autoscaling (v2/defaults.go, validation) */
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerV1,
  HPAScalingPolicy,
  HPAScalingRules,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { autoscalerMistakes } from "./autoscaler-validation.ts";

/** Percent. */
const cpuUtilization = 80;
/** Seconds. */
const period = 15;

const doubling: HPAScalingPolicy = { type: "Percent", value: 100, periodSeconds: period };
const fourPods: HPAScalingPolicy = { type: "Pods", value: 4, periodSeconds: period };

const withDefaults = (rules: HPAScalingRules | undefined, policies: HPAScalingPolicy[]): HPAScalingRules => ({
  ...rules,
  selectPolicy: rules?.selectPolicy ?? "Max",
  policies: rules?.policies ?? policies.map((policy) => ({ ...policy })),
});

export const autoscalers: KindRules<HorizontalPodAutoscaler> = {
  defaults({ spec }) {
    spec.minReplicas ??= 1;
    if (!spec.metrics?.length)
      spec.metrics = [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: cpuUtilization } },
        },
      ];
    const { behavior } = spec;
    if (!behavior) return;
    behavior.scaleUp = withDefaults(behavior.scaleUp, [fourPods, doubling]);
    // How long scaling down waits for a better idea is the controller's to say.
    behavior.scaleUp.stabilizationWindowSeconds ??= 0;
    behavior.scaleDown = withDefaults(behavior.scaleDown, [doubling]);
  },
  validate: autoscalerMistakes,
};

export const autoscalersV1: KindRules<HorizontalPodAutoscalerV1> = {
  defaults({ spec }) {
    spec.minReplicas ??= 1;
    spec.targetCPUUtilizationPercentage ??= cpuUtilization;
  },
};
