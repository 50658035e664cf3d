/** Nodes. Source: kubernetes pkg/apis/core (v1/defaults.go, validation), pkg/registry/core/node */
import type { Node } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";

export const nodes: KindRules<Node> = {
  defaults({ status }) {
    if (status?.capacity && !status.allocatable) status.allocatable = { ...status.capacity };
  },
  fields: ({ spec }) => ({ "spec.unschedulable": String(spec?.unschedulable ?? false) }),
};
