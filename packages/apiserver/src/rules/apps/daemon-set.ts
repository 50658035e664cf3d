/** DaemonSets. Source: kubernetes pkg/apis/apps (v1/defaults.go, validation), pkg/registry/apps/daemonset */
import { type DaemonSet, deepEqual } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";
import { defaultTemplate } from "../pod/defaults.ts";

/** Counts changes of the template, as the annotation that stands for a field of older versions. */
const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

export const daemonSets: KindRules<DaemonSet> = {
  defaults({ spec }) {
    spec.revisionHistoryLimit ??= 10;
    spec.updateStrategy ??= {};
    const { updateStrategy } = spec;
    fill(updateStrategy, { type: "RollingUpdate" });
    if (updateStrategy.type === "RollingUpdate") {
      updateStrategy.rollingUpdate ??= {};
      fill(updateStrategy.rollingUpdate, { maxUnavailable: 1, maxSurge: 0 });
    }
    defaultTemplate(spec.template);
  },
  prepare({ metadata, spec }, before) {
    const had = Number(before?.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0);
    const generation = before && deepEqual(before.spec.template, spec.template) ? had : had + 1;
    metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
  },
};
