/** ReplicaSets. Source: kubernetes pkg/apis/apps (v1/defaults.go, validation), pkg/registry/apps/replicaset */
import type { ReplicaSet } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { defaultTemplate } from "../pod/defaults.ts";

export const replicaSets: KindRules<ReplicaSet> = {
  defaults({ spec }) {
    spec.replicas ??= 1;
    if (spec.template) defaultTemplate(spec.template);
  },
  fields: ({ status }) => ({ "status.replicas": String(status?.replicas ?? 0) }),
};
