/** Pods. Source: kubernetes pkg/registry/core/pod/strategy.go */
import { forbiddenField, type Pod } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { defaultPod, defaultPodSpec } from "./defaults.ts";
import { preparePod } from "./prepare.ts";
import { podSpecMistakes } from "./spec.ts";
import { imageSpaceMistakes, podUpdateMistakes } from "./update.ts";
import { podWarnings } from "./warnings.ts";

export const pods: KindRules<Pod> = {
  defaults(pod) {
    defaultPod(pod);
    defaultPodSpec(pod.spec);
  },
  prepare: preparePod,
  validate: ({ spec }) => [...podSpecMistakes("spec", spec), ...imageSpaceMistakes(spec)],
  validateCreate: ({ spec }) =>
    spec.ephemeralContainers?.length ? [forbiddenField("spec.ephemeralContainers", "cannot be set on create")] : [],
  validateUpdate: podUpdateMistakes,
  warnings: podWarnings,
  fields: ({ spec, status }) => ({
    "spec.nodeName": spec.nodeName ?? "",
    "spec.restartPolicy": spec.restartPolicy ?? "",
    "spec.schedulerName": spec.schedulerName ?? "",
    "spec.serviceAccountName": spec.serviceAccountName ?? "",
    "spec.hostNetwork": String(spec.hostNetwork ?? false),
    "status.phase": status?.phase ?? "",
    "status.podIP": status?.podIPs?.[0]?.ip ?? status?.podIP ?? "",
    "status.nominatedNodeName": status?.nominatedNodeName ?? "",
  }),
  gracePeriod({ spec, status }) {
    if (!spec.nodeName || status?.phase === "Failed" || status?.phase === "Succeeded") return 0;
    const period = spec.terminationGracePeriodSeconds ?? 0;
    return period < 0 ? 1 : period;
  },
};
