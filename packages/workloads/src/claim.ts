/**
 * Which of the candidates belong to an owner: those it controls and that match its selector. Matching orphans are
 * adopted; what it controls and no longer matches is released.
 *
 * Source: kubernetes pkg/controller/controller_ref_manager.go.
 */
import { patchMeta, resourceOfObject, type Write } from "@flotilla/client";
import {
  controllerOf,
  isControlledBy,
  isDeleted,
  type KubeObject,
  type LabelSelector,
  matchesSelector,
  ownerReference,
} from "@flotilla/objects";

export interface Claimed<T> {
  readonly mine: T[];
  readonly adopt: Write[];
  readonly release: Write[];
}

/** `may` narrows further what may be adopted or kept, as a StatefulSet does by name. */
export function claim<T extends KubeObject>(
  owner: KubeObject & { spec: { selector?: LabelSelector } },
  candidates: readonly T[],
  may: (candidate: T) => boolean = () => true,
): Claimed<T> {
  const claimed: Claimed<T> = { mine: [], adopt: [], release: [] };
  const matches = (candidate: T) => matchesSelector(owner.spec.selector, candidate.metadata.labels) && may(candidate);
  for (const candidate of candidates) {
    if (isControlledBy(candidate, owner)) {
      if (matches(candidate)) claimed.mine.push(candidate);
      else if (!isDeleted(owner)) claimed.release.push(released(owner, candidate));
    } else if (
      !controllerOf(candidate) &&
      !isDeleted(owner) &&
      !isDeleted(candidate) &&
      candidate.metadata.namespace === owner.metadata.namespace &&
      matches(candidate)
    ) {
      // Counted at once: where the adoption fails, the writes after it are skipped.
      claimed.mine.push(candidate);
      claimed.adopt.push(adopted(owner, candidate));
    }
  }
  return claimed;
}

const adopted = (owner: KubeObject, candidate: KubeObject): Write =>
  patchMeta(candidate, {
    ownerReferences: [...(candidate.metadata.ownerReferences ?? []), ownerReference(owner, resourceOfObject(owner))],
  });

const released = (owner: KubeObject, candidate: KubeObject): Write =>
  patchMeta(candidate, {
    ownerReferences: candidate.metadata.ownerReferences?.filter(({ uid }) => uid !== owner.metadata.uid) ?? [],
  });
