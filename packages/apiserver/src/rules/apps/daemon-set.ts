/** DaemonSets. Source: kubernetes pkg/apis/apps (v1/defaults.go, validation), pkg/registry/apps/daemonset */
import { type DaemonSet, deepEqual, type FieldError, notSupported, required } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";
import { immutable, nonNegative } from "../mistakes.ts";
import { defaultTemplate } from "../pod/defaults.ts";
import { podSpecWarnings } from "../pod/warnings.ts";
import { daemonSetUpdateMistakes } from "./rolling-update.ts";
import { selectorAndTemplateMistakes } from "./selector.ts";

/** Counts changes of the template, as the annotation that stands for a field of older versions. */
const templateGeneration = "deprecated.daemonset.template.generation";

function strategyMistakes(strategy: DaemonSet["spec"]["updateStrategy"]): FieldError[] {
  const path = "spec.updateStrategy";
  if (strategy?.type === "OnDelete") return [];
  if (strategy?.type !== "RollingUpdate")
    return [notSupported(path, { type: strategy?.type }, ["RollingUpdate", "OnDelete"])];
  return strategy.rollingUpdate
    ? daemonSetUpdateMistakes(`${path}.rollingUpdate`, strategy.rollingUpdate)
    : [required(`${path}.rollingUpdate`)];
}

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
  validate: ({ spec }) => [
    ...selectorAndTemplateMistakes(spec, { kind: "daemonset", name: "DaemonSet" }).filter(
      ({ field, type }) => field !== "spec.selector" || type !== "FieldValueRequired",
    ),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...strategyMistakes(spec.updateStrategy),
    ...nonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
  ],
  validateUpdate: ({ spec }, before) =>
    deepEqual(spec.selector, before.spec.selector) ? [] : [immutable("spec.selector", spec.selector)],
  warnings: ({ spec }) => podSpecWarnings("spec.template.spec", spec.template.spec),
  prepare({ metadata, spec }, before) {
    const had = Number(before?.metadata.annotations?.[templateGeneration] ?? 0);
    const generation = before && deepEqual(before.spec.template, spec.template) ? had : had + 1;
    metadata.annotations = { ...metadata.annotations, [templateGeneration]: String(generation) };
  },
};
