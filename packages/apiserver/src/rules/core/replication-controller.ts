/** ReplicationControllers and PodTemplates. Source: kubernetes pkg/apis/core (v1/defaults.go, validation) */
import type { PodTemplate, ReplicationController } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { defaultTemplate } from "../pod/defaults.ts";

const isEmpty = (labels: Record<string, string> | undefined) => Object.keys(labels ?? {}).length === 0;

export const replicationControllers: KindRules<ReplicationController> = {
  defaults({ metadata, spec }) {
    if (!spec?.template) return;
    const labels = spec.template.metadata?.labels;
    if (labels && !isEmpty(labels)) {
      if (isEmpty(spec.selector)) spec.selector = { ...labels };
      if (isEmpty(metadata.labels)) metadata.labels = { ...labels };
    }
    defaultTemplate(spec.template);
  },
  fields: ({ status }) => ({ "status.replicas": String(status?.replicas ?? 0) }),
  propagation: "Orphan",
};

export const podTemplates: KindRules<PodTemplate> = {
  defaults({ template }) {
    if (template) defaultTemplate(template);
  },
};
