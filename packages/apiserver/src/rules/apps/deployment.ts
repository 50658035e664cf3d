/** Deployments. Source: kubernetes pkg/apis/apps (v1/defaults.go, validation), pkg/registry/apps/deployment */
import { type Deployment, deepEqual } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";
import { defaultTemplate } from "../pod/defaults.ts";

export const deployments: KindRules<Deployment> = {
  defaults({ spec }) {
    fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
    spec.strategy ??= {};
    const { strategy } = spec;
    fill(strategy, { type: "RollingUpdate" });
    if (strategy.type === "RollingUpdate") {
      strategy.rollingUpdate ??= {};
      fill(strategy.rollingUpdate, { maxUnavailable: "25%", maxSurge: "25%" });
    }
    defaultTemplate(spec.template);
  },
  // They are copied to its ReplicaSets.
  countsAlso: ({ metadata }, before) => !deepEqual(metadata.annotations ?? {}, before.metadata.annotations ?? {}),
};
