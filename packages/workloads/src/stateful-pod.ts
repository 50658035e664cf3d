/**
 * The identity of a StatefulSet's pods: name, labels, host name, and the claims that stay theirs.
 *
 * Source: kubernetes pkg/controller/statefulset/stateful_set_utils.go.
 */
import { create, patchMeta, type Write } from "@flotilla/client";
import {
  deepEqual,
  newObject,
  ownerReference,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  type Pod,
  Pods,
  type PodTemplateSpec,
  type StatefulSet,
  StatefulSets,
} from "@flotilla/objects";
import { madeFrom } from "./owner.ts";

export const revisionLabel = "controller-revision-hash";
const nameLabel = "statefulset.kubernetes.io/pod-name";
const indexLabel = "apps.kubernetes.io/pod-index";

export const firstOrdinal = (set: StatefulSet): number => set.spec.ordinals?.start ?? 0;
export const replicasOf = (set: StatefulSet): number => set.spec.replicas ?? 1;

/** -1 for a pod that is not named as the set names its own. */
export function ordinalOf(set: StatefulSet, pod: Pod): number {
  const { name } = pod.metadata;
  const text = name.startsWith(`${set.metadata.name}-`) ? name.slice(set.metadata.name.length + 1) : "";
  return /^(0|[1-9]\d{0,9})$/.test(text) ? Number(text) : -1;
}

export const isInRange = (set: StatefulSet, ordinal: number): boolean =>
  ordinal >= firstOrdinal(set) && ordinal < firstOrdinal(set) + replicasOf(set);

const podName = (set: StatefulSet, ordinal: number) => `${set.metadata.name}-${ordinal}`;

const templatesOf = (set: StatefulSet) => set.spec.volumeClaimTemplates ?? [];

const claimName = (set: StatefulSet, template: PersistentVolumeClaim, ordinal: number) =>
  `${template.metadata.name}-${podName(set, ordinal)}`;

export function statefulPod(set: StatefulSet, template: PodTemplateSpec, revision: string, ordinal: number): Pod {
  const name = podName(set, ordinal);
  const metadata = madeFrom(set, StatefulSets, template, name);
  const spec = template.spec ?? { containers: [] };
  const claims = templatesOf(set).map((each) => ({
    name: each.metadata.name,
    persistentVolumeClaim: { claimName: claimName(set, each, ordinal) },
  }));
  const others = (spec.volumes ?? []).filter((volume) => !claims.some((each) => each.name === volume.name));
  const labels = { ...metadata.labels, [nameLabel]: name, [indexLabel]: String(ordinal), [revisionLabel]: revision };
  return newObject(Pods, {
    metadata: { ...metadata, generateName: `${set.metadata.name}-`, labels },
    spec: {
      ...spec,
      hostname: name,
      ...(set.spec.serviceName && { subdomain: set.spec.serviceName }),
      ...(claims.length + others.length > 0 && { volumes: [...claims, ...others] }),
    },
  });
}

/** The claims of a pod by name, those that exist among `claims`. */
export const claimsOf = (set: StatefulSet, claims: readonly PersistentVolumeClaim[], ordinal: number) =>
  templatesOf(set).flatMap(
    (each) => claims.find(({ metadata }) => metadata.name === claimName(set, each, ordinal)) ?? [],
  );

/** Whether a claim may be one of the set's pods'. */
export const isClaimFor = (set: StatefulSet, claim: PersistentVolumeClaim): boolean =>
  templatesOf(set).some((each) => {
    const prefix = `${each.metadata.name}-${set.metadata.name}-`;
    return claim.metadata.name.startsWith(prefix) && /^\d+$/.test(claim.metadata.name.slice(prefix.length));
  });

export const missingClaims = (set: StatefulSet, claims: readonly PersistentVolumeClaim[], ordinal: number): Write[] =>
  templatesOf(set)
    .filter((each) => !claims.some(({ metadata }) => metadata.name === claimName(set, each, ordinal)))
    .map((each) =>
      create(PersistentVolumeClaims, {
        metadata: {
          name: claimName(set, each, ordinal),
          namespace: set.metadata.namespace,
          labels: { ...each.metadata.labels, ...set.spec.selector.matchLabels },
          ...(each.metadata.annotations && { annotations: each.metadata.annotations }),
        },
        spec: each.spec,
      }),
    );

/** Claims whose owners are not those that the retention policy wants: the set, a pod that is scaled away, or nobody. */
export function retained(set: StatefulSet, pod: Pod, claims: readonly PersistentVolumeClaim[]): Write[] {
  const policy = set.spec.persistentVolumeClaimRetentionPolicy;
  const ordinal = ordinalOf(set, pod);
  const byPod = policy?.whenScaled === "Delete" && !isInRange(set, ordinal);
  const bySet = policy?.whenDeleted === "Delete" && !byPod;
  const mine = [...(bySet ? [ownerReference(set, StatefulSets)] : []), ...(byPod ? [ownerReference(pod, Pods)] : [])];
  return claimsOf(set, claims, ordinal).flatMap((claim) => {
    const before = claim.metadata.ownerReferences ?? [];
    const others = before.filter(({ uid }) => uid !== set.metadata.uid && uid !== pod.metadata.uid);
    // A claim that somebody else controls is left to them.
    if (others.some(({ controller }) => controller) || deepEqual(before, [...others, ...mine])) return [];
    return [patchMeta(claim, { ownerReferences: [...others, ...mine] })];
  });
}

/** The labels of its identity, where somebody has taken them off. */
export const identified = (set: StatefulSet, pod: Pod): Write[] =>
  pod.metadata.labels?.[nameLabel] === pod.metadata.name
    ? []
    : [patchMeta(pod, { labels: { [nameLabel]: pod.metadata.name, [indexLabel]: String(ordinalOf(set, pod)) } })];
