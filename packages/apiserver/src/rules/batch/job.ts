/** Jobs. Source: kubernetes pkg/apis/batch (v1/defaults.go, validation), pkg/registry/batch/job */
import { deepEqual, type Job, type JobSpec } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";
import { defaultTemplate } from "../pod/defaults.ts";

/** The two labels of each kind say the same; the one without a prefix is the older. */
export const controllerUidLabels = ["controller-uid", "batch.kubernetes.io/controller-uid"] as const;
export const jobNameLabels = ["job-name", "batch.kubernetes.io/job-name"] as const;

const MAX_INT32 = 2 ** 31 - 1;

export function defaultJobSpec(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  fill(spec, {
    parallelism: 1,
    backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : MAX_INT32,
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
  fields: ({ status }) => ({ "status.successful": String(status?.succeeded ?? 0) }),
  propagation: "Orphan",
};
