/** StatefulSets. Source: kubernetes pkg/apis/apps (v1/defaults.go, validation), pkg/registry/apps/statefulset */
import type { StatefulSet } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";
import { defaultTemplate } from "../pod/defaults.ts";

export const statefulSets: KindRules<StatefulSet> = {
  defaults({ spec }) {
    fill(spec, { podManagementPolicy: "OrderedReady", replicas: 1, revisionHistoryLimit: 10 });
    spec.updateStrategy ??= {};
    const { updateStrategy } = spec;
    if (!updateStrategy.type) {
      updateStrategy.type = "RollingUpdate";
      updateStrategy.rollingUpdate ??= {};
    }
    if (updateStrategy.type === "RollingUpdate" && updateStrategy.rollingUpdate)
      updateStrategy.rollingUpdate.partition ??= 0;
    spec.persistentVolumeClaimRetentionPolicy ??= {};
    fill(spec.persistentVolumeClaimRetentionPolicy, { whenDeleted: "Retain", whenScaled: "Retain" });
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion = "v1";
      claim.kind = "PersistentVolumeClaim";
      claim.spec.volumeMode ??= "Filesystem";
      claim.status ??= {};
      claim.status.phase ??= "Pending";
    }
    defaultTemplate(spec.template);
  },
};
