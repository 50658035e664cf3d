/** ReplicaSets. Source: kubernetes pkg/apis/apps (v1/defaults.go, validation), pkg/registry/apps/replicaset */
import { deepEqual, type ReplicaSet } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { immutable, nonNegative } from "../mistakes.ts";
import { defaultTemplate } from "../pod/defaults.ts";
import { podSpecWarnings } from "../pod/warnings.ts";
import { selectorAndTemplateMistakes } from "./selector.ts";

export const replicaSets: KindRules<ReplicaSet> = {
  defaults({ spec }) {
    spec.replicas ??= 1;
    if (spec.template) defaultTemplate(spec.template);
  },
  validate: ({ spec }) => [
    ...nonNegative("spec.replicas", spec.replicas),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...selectorAndTemplateMistakes(spec, {
      kind: "deployment",
      name: "ReplicaSet",
      unusable: "invalid label selector",
    }),
  ],
  validateUpdate: ({ spec }, before) =>
    deepEqual(spec.selector, before.spec.selector) ? [] : [immutable("spec.selector", spec.selector)],
  warnings: ({ spec }) => podSpecWarnings("spec.template.spec", spec.template?.spec),
  fields: ({ status }) => ({ "status.replicas": String(status?.replicas ?? 0) }),
};
