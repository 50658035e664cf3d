/** Jobs. Source: kubernetes pkg/apis/batch (v1/defaults.go, validation), pkg/registry/batch/job */
import {
  deepEqual,
  type FieldError,
  invalidValue,
  type Job,
  type JobSpec,
  matchesSelector,
  type PodTemplateSpec,
  required,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { labelsDiffer } from "../apps/selector.ts";
import { fill } from "../fill.ts";
import { immutable, largestInt32, selectorMistakes } from "../mistakes.ts";
import { defaultTemplate } from "../pod/defaults.ts";
import { podSpecWarnings } from "../pod/warnings.ts";
import { jobSpecMistakes } from "./job-spec.ts";

/** The two labels of each kind say the same; the one without a prefix is the older. */
const controllerUidLabels = ["controller-uid", "batch.kubernetes.io/controller-uid"] as const;
const jobNameLabels = ["job-name", "batch.kubernetes.io/job-name"] as const;

function defaultJobSpec(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  fill(spec, {
    parallelism: 1,
    backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : largestInt32,
    completionMode: "NonIndexed",
    suspend: false,
    podReplacementPolicy: spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed",
    manualSelector: false,
  });
  for (const rule of spec.podFailurePolicy?.rules ?? [])
    for (const pattern of rule.onPodConditions ?? []) fill(pattern, { status: "True" });
  defaultTemplate(spec.template);
}

/** A selector that only this job's pods match, and the labels that make them. */
function generateSelector({ metadata, spec }: Job): void {
  spec.template.metadata ??= {} as NonNullable<typeof spec.template.metadata>;
  const template = spec.template.metadata;
  const copied = !metadata.labels || deepEqual(metadata.labels, template.labels);
  const labels: Record<string, string> = { ...template.labels };
  for (const label of jobNameLabels) labels[label] ??= metadata.name;
  for (const label of controllerUidLabels) labels[label] ??= metadata.uid ?? "";
  template.labels = labels;
  if (copied) metadata.labels = { ...labels };
  const [, uidLabel] = controllerUidLabels;
  spec.selector ??= {};
  spec.selector.matchLabels = { [uidLabel]: metadata.uid ?? "", ...spec.selector.matchLabels };
}

const fixed = [
  "selector",
  "completionMode",
  "podFailurePolicy",
  "backoffLimitPerIndex",
  "managedBy",
  "successPolicy",
] as const;

/** The old template with what the new one says of its place. */
function placed(before: PodTemplateSpec, after: PodTemplateSpec): PodTemplateSpec {
  const { nodeSelector, tolerations, schedulingGates, affinity } = after.spec ?? {};
  return {
    ...before,
    metadata: {
      ...before.metadata,
      labels: after.metadata?.labels,
      annotations: after.metadata?.annotations,
    } as PodTemplateSpec["metadata"],
    spec: before.spec && { ...before.spec, nodeSelector, tolerations, schedulingGates, affinity },
  };
}

function selectorMistakesOf({ metadata, spec }: Job): FieldError[] {
  const { selector, template } = spec;
  if (!selector) return [required("spec.selector"), labelsDiffer("spec.template", template)];
  const mistakes = selectorMistakes("spec.selector", selector);
  const labels = template.metadata?.labels ?? {};
  if (mistakes.length === 0 && !matchesSelector(selector, labels))
    mistakes.push(labelsDiffer("spec.template", template));
  if (spec.manualSelector) return mistakes;
  const expected: Record<string, string> = {};
  for (const label of jobNameLabels) expected[label] = metadata.name;
  for (const label of controllerUidLabels) expected[label] = metadata.uid ?? "";
  for (const [label, value] of Object.entries(expected)) {
    const path = `spec.template.metadata.labels[${label}]`;
    if (labels[label] === undefined) mistakes.push(required("spec.template.metadata.labels", `must be '${value}'`));
    else if (labels[label] !== value) mistakes.push(invalidValue(path, labels, `must be '${value}'`));
  }
  if (selectorMistakes("", selector).length === 0 && !matchesSelector(selector, expected))
    mistakes.push(invalidValue("spec.selector", selector, "`selector` not auto-generated"));
  return mistakes;
}

export const jobs: KindRules<Job> = {
  defaults({ metadata, spec }) {
    const labels = spec.template.metadata?.labels;
    if (labels && Object.keys(labels).length > 0 && !Object.keys(metadata.labels ?? {}).length)
      metadata.labels = { ...labels };
    defaultJobSpec(spec);
  },
  prepare(job, before) {
    if (!before && !job.spec.manualSelector) generateSelector(job);
  },
  validate: (job) => [...selectorMistakesOf(job), ...jobSpecMistakes("spec", job.spec)],
  validateUpdate({ spec }, { spec: before, status }) {
    const mistakes: FieldError[] = [];
    for (const field of fixed)
      if (!deepEqual(spec[field], before[field])) mistakes.push(immutable(`spec.${field}`, spec[field]));
    const elastic =
      spec.completionMode === "Indexed" && spec.completions !== undefined && spec.completions === spec.parallelism;
    if (spec.completions !== before.completions && !elastic)
      mistakes.push(immutable("spec.completions", spec.completions));
    // Where it runs may still be said of a job that waits and has never started.
    const waits = before.suspend === true && status?.startTime === undefined;
    if (!deepEqual(spec.template, waits ? placed(before.template, spec.template) : before.template))
      mistakes.push(immutable("spec.template", spec.template));
    return mistakes;
  },
  warnings: ({ spec }) => podSpecWarnings("spec.template.spec", spec.template.spec),
  fields: ({ status }) => ({ "status.successful": String(status?.succeeded ?? 0) }),
  propagation: "Orphan",
};
