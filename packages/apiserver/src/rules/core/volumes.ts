/** PersistentVolumes and claims of them. Source: kubernetes pkg/apis/core (v1/defaults.go, validation), pkg/api/persistentvolumeclaim */
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";

/** Each of dataSource and dataSourceRef follows from the other where it can. */
function matchDataSources(spec: PersistentVolumeClaimSpec, before: PersistentVolumeClaimSpec | undefined): void {
  if (!spec.dataSourceRef && !before?.dataSource && spec.dataSource && !isKnownSource(spec.dataSource))
    delete spec.dataSource;
  const { dataSource, dataSourceRef } = spec;
  if (dataSource && !dataSourceRef) spec.dataSourceRef = { ...dataSource };
  else if (dataSourceRef && !dataSource && !dataSourceRef.namespace) {
    const { namespace: _, ...source } = dataSourceRef;
    spec.dataSource = source;
  }
}

/** What else a dataSource names has always been passed over. */
const isKnownSource = ({ apiGroup, kind }: NonNullable<PersistentVolumeClaimSpec["dataSource"]>) =>
  apiGroup ? apiGroup === "snapshot.storage.k8s.io" && kind === "VolumeSnapshot" : kind === "PersistentVolumeClaim";

export const persistentVolumeClaims: KindRules<PersistentVolumeClaim> = {
  defaults(claim) {
    claim.spec.volumeMode ??= "Filesystem";
    claim.status ??= {};
    claim.status.phase ||= "Pending";
  },
  prepare: ({ spec }, before) => matchDataSources(spec, before?.spec),
};

export const persistentVolumes: KindRules<PersistentVolume> = {
  defaults(volume) {
    const { spec } = volume;
    fill(spec, { persistentVolumeReclaimPolicy: "Retain", volumeMode: "Filesystem" });
    if (spec.hostPath) spec.hostPath.type ??= "";
    volume.status ??= {};
    volume.status.phase ||= "Pending";
  },
  prepare(volume, before) {
    const { status, metadata } = volume;
    if (!status) return;
    const since = before ? before.status?.lastPhaseTransitionTime : metadata.creationTimestamp;
    if (since && (!before || before.status?.phase === status.phase)) status.lastPhaseTransitionTime ??= since;
  },
};
