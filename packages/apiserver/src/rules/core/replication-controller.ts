/** ReplicationControllers and PodTemplates. Source: kubernetes pkg/apis/core (v1/defaults.go, validation) */
import { matchesSelector, type PodTemplate, type ReplicationController, required } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { labelsDiffer, runningTemplateMistakes } from "../apps/selector.ts";
import { nonNegative } from "../mistakes.ts";
import { defaultTemplate } from "../pod/defaults.ts";
import { templateMistakes } from "../pod/spec.ts";
import { podSpecWarnings } from "../pod/warnings.ts";

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
  validate({ spec }) {
    const { template, selector } = spec ?? {};
    const mistakes = [
      ...nonNegative("spec.replicas", spec?.replicas),
      ...nonNegative("spec.minReadySeconds", spec?.minReadySeconds),
    ];
    if (isEmpty(selector)) mistakes.push(required("spec.selector"));
    if (!template) return [...mistakes, required("spec.template")];
    if (!matchesSelector({ matchLabels: selector }, template.metadata?.labels ?? {}))
      mistakes.push(labelsDiffer("spec.template", template));
    return [...mistakes, ...runningTemplateMistakes("spec.template", template, "ReplicationController")];
  },
  warnings: ({ spec }) => podSpecWarnings("spec.template.spec", spec?.template?.spec),
  fields: ({ status }) => ({ "status.replicas": String(status?.replicas ?? 0) }),
  propagation: "Orphan",
};

export const podTemplates: KindRules<PodTemplate> = {
  defaults({ template }) {
    if (template) defaultTemplate(template);
  },
  validate: ({ template }) => templateMistakes("template", template),
  warnings: ({ template }) => podSpecWarnings("template.spec", template?.spec),
};
