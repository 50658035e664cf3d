/**
 * Gives each PersistentVolumeClaim a PersistentVolume: one that exists and fits, or a new folder of this cluster.
 *
 * Source: kubernetes pkg/controller/volume/persistentvolume. One key for all claims: two must not take the same volume.
 */
import {
  type Controller,
  create,
  type EventNote,
  patchMeta,
  remove,
  status,
  update,
  type Write,
  watchMapped,
} from "@flotilla/client";
import {
  compareQuantities,
  isDeleted,
  isTerminal,
  matchesSelector,
  newObject,
  type PersistentVolume,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  PersistentVolumes,
  type Pod,
  Pods,
  type StorageClass,
  StorageClasses,
} from "@flotilla/objects";

export interface ObservedVolumes {
  readonly claims: readonly PersistentVolumeClaim[];
  readonly volumes: readonly PersistentVolume[];
  readonly classes: readonly StorageClass[];
  /** Names of claims ("namespace/name") that pods use. */
  readonly used: ReadonlySet<string>;
}

/** The provisioner of a StorageClass whose volumes are folders of this machine. */
export const localProvisioner = "flotilla.dev/local";
const provisionedBy = "pv.kubernetes.io/provisioned-by";
const boundByController = "pv.kubernetes.io/bound-by-controller";
const bindCompleted = "pv.kubernetes.io/bind-completed";
const defaultClass = "storageclass.kubernetes.io/is-default-class";
const protection = "kubernetes.io/pvc-protection";

const everything = { name: "volumes" };

/** `volumesRoot`: the folder below which the agent keeps volumes. */
export const volumeBindingController = (volumesRoot: string): Controller<ObservedVolumes> => ({
  name: "volume-binding",
  watches: [
    watchMapped(PersistentVolumeClaims, () => [everything]),
    watchMapped(PersistentVolumes, () => [everything]),
    watchMapped(StorageClasses, () => [everything]),
    // Only the end of a pod matters: it may free a claim that is being deleted.
    watchMapped(Pods, (pod) => (isDeleted(pod) || isTerminal(pod) ? [everything] : [])),
  ],

  observe(_, cache) {
    return {
      claims: cache.list(PersistentVolumeClaims),
      volumes: cache.list(PersistentVolumes),
      classes: cache.list(StorageClasses),
      used: new Set(
        cache
          .list(Pods)
          .filter((pod) => !isTerminal(pod))
          .flatMap(claimsIn),
      ),
    };
  },

  decide({ claims, volumes, classes, used }) {
    const writes: Write[] = [];
    const events: EventNote[] = [];
    const free = new Set(volumes.filter((volume) => !volume.spec?.claimRef && !isDeleted(volume)));
    for (const claim of claims) {
      if (isDeleted(claim)) {
        const { finalizers = [] } = claim.metadata;
        if (finalizers.includes(protection) && !used.has(nameOf(claim)))
          writes.push(patchMeta(claim, { finalizers: finalizers.filter((each) => each !== protection) }));
        continue;
      }
      const bound = boundTo(claim, volumes);
      if (bound) writes.push(...completed(claim, bound));
      else if (claim.spec?.volumeName) writes.push(...lost(claim, volumes));
      else writes.push(...found(claim, { volumes, classes, free, volumesRoot }, events));
    }
    for (const volume of volumes) writes.push(...released(volume, claims));
    return { writes, events };
  },
});

const nameOf = ({ metadata: { namespace, name } }: PersistentVolumeClaim) => `${namespace}/${name}`;

const claimsIn = (pod: Pod): string[] =>
  (pod.spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) =>
    persistentVolumeClaim
      ? [`${pod.metadata.namespace}/${persistentVolumeClaim.claimName}`]
      : ephemeral
        ? [`${pod.metadata.namespace}/${pod.metadata.name}-${name}`]
        : [],
  );

const refersTo = (volume: PersistentVolume, { metadata }: PersistentVolumeClaim) => {
  const ref = volume.spec?.claimRef;
  // A reference without uid reserves the volume for the claim of that name.
  return ref?.namespace === metadata.namespace && ref?.name === metadata.name && (!ref.uid || ref.uid === metadata.uid);
};

const boundTo = (claim: PersistentVolumeClaim, volumes: readonly PersistentVolume[]) =>
  volumes.find(
    (volume) => refersTo(volume, claim) && (!claim.spec?.volumeName || claim.spec.volumeName === volume.metadata.name),
  );

interface Supply {
  readonly volumes: readonly PersistentVolume[];
  readonly classes: readonly StorageClass[];
  /** Volumes that nobody has; each is taken once. */
  readonly free: Set<PersistentVolume>;
  readonly volumesRoot: string;
}

/** Both sides of the binding, the volume first: it decides whose it is. */
function completed(claim: PersistentVolumeClaim, volume: PersistentVolume): Write[] {
  const { name } = volume.metadata;
  const ref = volume.spec?.claimRef;
  const writes: Write[] = [];
  if (ref?.uid !== claim.metadata.uid) writes.push(claimed(volume, claim));
  else writes.push(status(volume, { ...volume.status, phase: "Bound" }));
  if (claim.spec?.volumeName !== name)
    writes.push(
      update({
        ...claim,
        metadata: {
          ...claim.metadata,
          annotations: { ...claim.metadata.annotations, [bindCompleted]: "yes", [boundByController]: "yes" },
        },
        spec: { ...claim.spec, volumeName: name } as PersistentVolumeClaim["spec"],
      }),
    );
  else
    writes.push(
      status(claim, {
        ...claim.status,
        phase: "Bound",
        accessModes: volume.spec?.accessModes,
        capacity: { storage: volume.spec?.capacity?.storage ?? "0" },
      }),
    );
  return writes;
}

const claimed = (volume: PersistentVolume, claim: PersistentVolumeClaim): Write =>
  update({
    ...volume,
    metadata: { ...volume.metadata, annotations: { ...volume.metadata.annotations, [boundByController]: "yes" } },
    spec: { ...volume.spec, claimRef: claimRef(claim) },
  });

const claimRef = ({ metadata: { namespace, name, uid, resourceVersion } }: PersistentVolumeClaim) => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  namespace,
  name,
  uid,
  resourceVersion,
});

/** Its volume has gone, or is another's. */
function lost(claim: PersistentVolumeClaim, volumes: readonly PersistentVolume[]): Write[] {
  const volume = volumes.find(({ metadata }) => metadata.name === claim.spec?.volumeName);
  if (volume && !volume.spec?.claimRef) return [claimed(volume, claim)];
  const phase = claim.status?.phase === "Bound" || claim.status?.phase === "Lost" ? "Lost" : "Pending";
  return [status(claim, { ...claim.status, phase })];
}

function found(claim: PersistentVolumeClaim, supply: Supply, events: EventNote[]): Write[] {
  const pending = status(claim, { ...claim.status, phase: "Pending" });
  const storageClass = classOf(claim, supply.classes);
  const volume = bestFit(claim, storageClass?.metadata.name ?? claim.spec?.storageClassName ?? "", supply.free);
  if (volume) {
    supply.free.delete(volume);
    return [pending, claimed(volume, claim)];
  }
  if (storageClass?.provisioner === localProvisioner) {
    const made = newVolume(claim, storageClass, supply.volumesRoot);
    events.push({
      about: claim,
      type: "Normal",
      reason: "ProvisioningSucceeded",
      message: `Successfully provisioned volume ${made.metadata.name}`,
    });
    return [pending, create(PersistentVolumes, made)];
  }
  const message = storageClass
    ? `waiting for a volume to be created either by the external provisioner '${storageClass.provisioner}' or manually by the system administrator`
    : claim.spec?.storageClassName
      ? `storageclass.storage.k8s.io "${claim.spec.storageClassName}" not found`
      : "no persistent volumes available for this claim and no storage class is set";
  const reason = storageClass
    ? "ExternalProvisioning"
    : claim.spec?.storageClassName
      ? "ProvisioningFailed"
      : "FailedBinding";
  events.push({ about: claim, type: reason === "ProvisioningFailed" ? "Warning" : "Normal", reason, message });
  return [pending];
}

/** No class said: the default one; the class "": none, only volumes that exist. */
function classOf(claim: PersistentVolumeClaim, classes: readonly StorageClass[]): StorageClass | undefined {
  const name = claim.spec?.storageClassName;
  if (name !== undefined) return classes.find(({ metadata }) => metadata.name === name);
  return classes.find(({ metadata }) => metadata.annotations?.[defaultClass] === "true");
}

/** The smallest volume that is large enough, of the class, with the access modes and labels that are asked for. */
function bestFit(
  claim: PersistentVolumeClaim,
  className: string,
  free: ReadonlySet<PersistentVolume>,
): PersistentVolume | undefined {
  const wanted = claim.spec?.resources?.requests?.storage ?? "0";
  const size = (volume: PersistentVolume) => volume.spec?.capacity?.storage ?? "0";
  return [...free]
    .filter(
      (volume) =>
        (volume.spec?.storageClassName ?? "") === className &&
        (volume.spec?.volumeMode ?? "Filesystem") === (claim.spec?.volumeMode ?? "Filesystem") &&
        (claim.spec?.accessModes ?? []).every((mode) => volume.spec?.accessModes?.includes(mode)) &&
        (!claim.spec?.selector || matchesSelector(claim.spec.selector, volume.metadata.labels)) &&
        compareQuantities(size(volume), wanted) >= 0,
    )
    .sort((a, b) => compareQuantities(size(a), size(b)) || (a.metadata.name < b.metadata.name ? -1 : 1))[0];
}

function newVolume(claim: PersistentVolumeClaim, storageClass: StorageClass, root: string): PersistentVolume {
  const { namespace, name, uid = "" } = claim.metadata;
  return newObject(PersistentVolumes, {
    metadata: { name: `pvc-${uid}`, annotations: { [provisionedBy]: localProvisioner, [boundByController]: "yes" } },
    spec: {
      capacity: { storage: claim.spec?.resources?.requests?.storage ?? "0" },
      accessModes: claim.spec?.accessModes,
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
      storageClassName: storageClass.metadata.name,
      ...(claim.spec?.volumeMode && { volumeMode: claim.spec.volumeMode }),
      claimRef: claimRef(claim),
      hostPath: { path: `${root}/${namespace}-${name}-${uid.slice(0, 8)}`, type: "DirectoryOrCreate" },
    },
  });
}

/** A volume whose claim has gone is released; with the policy Delete, what we made goes too. The agent removes its folder. */
function released(volume: PersistentVolume, claims: readonly PersistentVolumeClaim[]): Write[] {
  if (isDeleted(volume)) return [];
  const ref = volume.spec?.claimRef;
  if (!ref)
    return volume.status?.phase === "Available" ? [] : [status(volume, { ...volume.status, phase: "Available" })];
  if (!ref.uid || claims.some((claim) => refersTo(volume, claim))) return [];
  if (
    volume.spec?.persistentVolumeReclaimPolicy === "Delete" &&
    volume.metadata.annotations?.[provisionedBy] === localProvisioner
  )
    return [remove(volume)];
  return volume.status?.phase === "Released" ? [] : [status(volume, { ...volume.status, phase: "Released" })];
}
