/** Deployments. Source: kubernetes pkg/apis/apps (v1/defaults.go, validation), pkg/registry/apps/deployment */
import {
  type Deployment,
  deepEqual,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";
import { immutable, nonNegative } from "../mistakes.ts";
import { defaultTemplate } from "../pod/defaults.ts";
import { podSpecWarnings } from "../pod/warnings.ts";
import { deploymentUpdateMistakes } from "./rolling-update.ts";
import { selectorAndTemplateMistakes } from "./selector.ts";

function strategyMistakes(strategy: Deployment["spec"]["strategy"]): FieldError[] {
  const path = "spec.strategy";
  if (strategy?.type === "RollingUpdate")
    return strategy.rollingUpdate ? deploymentUpdateMistakes(`${path}.rollingUpdate`, strategy.rollingUpdate) : [];
  if (strategy?.type !== "Recreate") return [notSupported(path, strategy, ["Recreate", "RollingUpdate"])];
  return strategy.rollingUpdate
    ? [forbiddenField(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")]
    : [];
}

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
  validate: ({ spec }) => [
    ...nonNegative("spec.replicas", spec.replicas),
    ...selectorAndTemplateMistakes(spec, {
      kind: "deployment",
      name: "ReplicaSet",
      unusable: "invalid label selector",
    }),
    ...strategyMistakes(spec.strategy),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...nonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
    ...nonNegative("spec.progressDeadlineSeconds", spec.progressDeadlineSeconds),
    ...(spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0)
      ? [
          invalidValue(
            "spec.progressDeadlineSeconds",
            spec.progressDeadlineSeconds,
            "must be greater than minReadySeconds",
          ),
        ]
      : []),
  ],
  validateUpdate: ({ spec }, before) =>
    deepEqual(spec.selector, before.spec.selector) ? [] : [immutable("spec.selector", spec.selector)],
  warnings: ({ spec }) => podSpecWarnings("spec.template.spec", spec.template.spec),
  // They are copied to its ReplicaSets.
  countsAlso: ({ metadata }, before) => !deepEqual(metadata.annotations ?? {}, before.metadata.annotations ?? {}),
};
