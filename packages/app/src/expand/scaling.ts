/** The HorizontalPodAutoscaler and the PodDisruptionBudget of a service. */
import { HorizontalPodAutoscalers, type KubeObject, newObject, PodDisruptionBudgets } from "@flotilla/objects";
import { milliseconds } from "../model/formats.ts";
import type { Service } from "../model/service.ts";
import { type Expansion, metadataOf, type Part, selectorLabels } from "./context.ts";
import { fewestReplicas } from "./pod-template.ts";

export function autoscaler(expansion: Expansion, part: Part, service: Service): KubeObject[] {
  const { scale } = service;
  if (!scale) return [];
  const metrics = (["cpu", "memory"] as const).flatMap((name) => {
    const use = scale[name];
    if (use === undefined) return [];
    return [
      {
        type: "Resource" as const,
        resource: { name, target: { type: "Utilization" as const, averageUtilization: Number.parseInt(use, 10) } },
      },
    ];
  });
  const window = Math.round(milliseconds(scale.stabilization ?? "5m") / 1000);
  return [
    newObject(HorizontalPodAutoscalers, {
      metadata: metadataOf(expansion, part),
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: service.kind ?? "Deployment", name: part.name },
        minReplicas: scale.min ?? 1,
        maxReplicas: scale.max,
        metrics,
        behavior: { scaleDown: { stabilizationWindowSeconds: window } },
      },
    }),
  ];
}

/** One pod may be away where two or more run; on a laptop nobody drains nodes, so only what is stated. */
export function disruptionBudget(expansion: Expansion, part: Part, service: Service): KubeObject[] {
  const several = expansion.target === "cluster" && fewestReplicas(service) >= 2;
  if (!service.disruption && !several) return [];
  return [
    newObject(PodDisruptionBudgets, {
      metadata: metadataOf(expansion, part),
      spec: {
        maxUnavailable: service.disruption?.maxUnavailable ?? 1,
        selector: { matchLabels: selectorLabels(expansion.app.name, part.name) },
        // A pod that does not work must not keep a node from being drained.
        unhealthyPodEvictionPolicy: "AlwaysAllow",
      },
    }),
  ];
}
