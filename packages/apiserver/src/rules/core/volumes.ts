/** PersistentVolumes and claims of them. Source: kubernetes pkg/apis/core (v1/defaults.go, validation), pkg/api/persistentvolumeclaim */
import {
  compareQuantities,
  deepEqual,
  dns1123Subdomain,
  type FieldError,
  forbiddenField,
  notSupported,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type PersistentVolumeClaimSpec,
  required,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";
import { immutable, named, noBacksteps, oneOf } from "../mistakes.ts";
import { nodeSelectorMistakes } from "../pod/scheduling.ts";
import { hostPathTypes } from "../pod/volumes.ts";
import { accessModeMistakes, claimSpecMistakes, isWhole, positiveAmount, volumeModes } from "./claim-spec.ts";

const claimIsFixed =
  "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

const sources = [
  "hostPath",
  "nfs",
  "iscsi",
  "csi",
  "local",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "fc",
  "cephfs",
  "rbd",
  "azureDisk",
  "azureFile",
  "cinder",
  "flexVolume",
  "flocker",
  "glusterfs",
  "photonPersistentDisk",
  "portworxVolume",
  "quobyte",
  "scaleIO",
  "storageos",
  "vsphereVolume",
] as const;

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
  validate: ({ spec }) => claimSpecMistakes("spec", spec),
  validateUpdate({ spec }, { spec: before, status }) {
    const now = { ...spec };
    // Who binds a claim says the volume, once; a bound claim may be asked to grow.
    if (!before.volumeName) delete now.volumeName;
    now.volumeAttributesClassName = before.volumeAttributesClassName;
    const storage = spec.resources?.requests?.storage;
    const was = before.resources?.requests?.storage;
    const bound = status?.phase === "Bound";
    if (bound) now.resources = before.resources;
    if (before.storageClassName === undefined) now.storageClassName = undefined;
    if (!deepEqual(now, before)) return [forbiddenField("spec", claimIsFixed)];
    if (bound && storage !== undefined && was !== undefined && compareQuantities(storage, was) < 0)
      return [forbiddenField("spec.resources.requests.storage", "field can not be less than status.capacity")];
    return [];
  },
  warnings({ spec }) {
    const storage = spec.resources?.requests?.storage;
    return storage !== undefined && !isWhole(storage)
      ? [`spec.resources.requests[storage]: fractional byte value "${storage}" is invalid, must be an integer`]
      : [];
  },
};

function volumeMistakes({ spec }: PersistentVolume): FieldError[] {
  const modes = spec.accessModes;
  const capacity = spec.capacity ?? {};
  const mistakes: FieldError[] = modes?.length
    ? accessModeMistakes("spec.accessModes", modes)
    : [required("spec.accessModes")];
  if (Object.keys(capacity).length === 0) mistakes.push(required("spec.capacity"));
  if (capacity.storage === undefined || Object.keys(capacity).length > 1)
    mistakes.push(notSupported("spec.capacity", spec.capacity ?? null, ["storage"]));
  for (const [name, amount] of Object.entries(capacity))
    mistakes.push(...positiveAmount(`spec.capacity[${name}]`, amount));
  mistakes.push(
    ...oneOf("spec.persistentVolumeReclaimPolicy", spec.persistentVolumeReclaimPolicy, ["Delete", "Recycle", "Retain"]),
  );
  mistakes.push(...oneOf("spec.volumeMode", spec.volumeMode, volumeModes));
  if (spec.storageClassName) mistakes.push(...named("spec.storageClassName", spec.storageClassName, dns1123Subdomain));
  const [first, ...more] = sources.filter((source) => spec[source] !== undefined);
  if (!first) mistakes.push(required("spec", "must specify a volume type"));
  for (const each of more) mistakes.push(forbiddenField(`spec.${each}`, "may not specify more than 1 volume type"));
  if (spec.hostPath) {
    const { path } = spec.hostPath;
    mistakes.push(...(path ? noBacksteps("spec.hostPath.path", path) : [required("spec.hostPath.path")]));
    mistakes.push(...oneOf("spec.hostPath.type", spec.hostPath.type, hostPathTypes));
    if (path === "/" && spec.persistentVolumeReclaimPolicy === "Recycle")
      mistakes.push(
        forbiddenField("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'"),
      );
  }
  if (spec.local) {
    if (!spec.local.path) mistakes.push(required("spec.local.path"));
    if (!spec.nodeAffinity) mistakes.push(required("spec.nodeAffinity", "Local volume requires node affinity"));
  }
  if (spec.nodeAffinity) {
    const { required: must } = spec.nodeAffinity;
    mistakes.push(
      ...(must
        ? nodeSelectorMistakes("spec.nodeAffinity.required", must.nodeSelectorTerms)
        : [required("spec.nodeAffinity.required", "must specify required node constraints")]),
    );
  }
  return mistakes;
}

export const persistentVolumes: KindRules<PersistentVolume> = {
  defaults(volume) {
    const { spec } = volume;
    fill(spec, { persistentVolumeReclaimPolicy: "Retain", volumeMode: "Filesystem" });
    if (spec.hostPath) spec.hostPath.type ??= "";
    volume.status ??= {};
    volume.status.phase ||= "Pending";
  },
  validate: volumeMistakes,
  validateUpdate({ spec }, { spec: before }) {
    const mistakes: FieldError[] = [];
    if (sources.some((source) => !deepEqual(spec[source], before[source])))
      mistakes.push(
        forbiddenField("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation"),
      );
    if (spec.volumeMode !== before.volumeMode) mistakes.push(immutable("spec.volumeMode", spec.volumeMode));
    if (before.nodeAffinity && !deepEqual(spec.nodeAffinity, before.nodeAffinity))
      mistakes.push(immutable("spec.nodeAffinity", spec.nodeAffinity));
    return mistakes;
  },
  prepare(volume, before) {
    const { status, metadata } = volume;
    if (!status) return;
    const since = before ? before.status?.lastPhaseTransitionTime : metadata.creationTimestamp;
    if (since && (!before || before.status?.phase === status.phase)) status.lastPhaseTransitionTime ??= since;
  },
};
