/** Pods. Source: kubernetes pkg/registry/core/pod/strategy.go */
import type { Pod } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { defaultPod, defaultPodSpec } from "./defaults.ts";
import { preparePod } from "./prepare.ts";

export const pods: KindRules<Pod> = {
  defaults(pod) {
    defaultPod(pod);
    defaultPodSpec(pod.spec);
  },
  prepare: preparePod,
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
