/**
 * The history of a template, kept as ControllerRevisions: which one is wanted now, and which may go.
 *
 * Source: kubernetes pkg/controller/history, pkg/controller/statefulset (getStatefulSetRevisions, truncateHistory).
 */
import { create, type Failure, remove, update, type Write } from "@flotilla/client";
import {
  type ControllerRevision,
  ControllerRevisions,
  type DaemonSet,
  fnv1a,
  isAlreadyExists,
  type KubeObject,
  newObject,
  type PodTemplateSpec,
  type Resource,
  type StatefulSet,
  safeEncode,
} from "@flotilla/objects";
import { canonical, sameMeaning } from "./canonical.ts";
import { madeFrom } from "./owner.ts";

export interface History {
  /** The revision of the template as it is now; it may be one that `writes` makes. */
  readonly wanted: ControllerRevision;
  /** All, the oldest first, `wanted` included. */
  readonly all: readonly ControllerRevision[];
  readonly writes: readonly Write[];
  /** How often the name of a revision was taken by somebody else's. */
  readonly collisions: number;
}

type Keeper = StatefulSet | DaemonSet;

/** What a revision holds: a strategic merge patch that puts the template back, as `kubectl rollout undo` applies it. */
const dataOf = (template: PodTemplateSpec) => ({ spec: { template: { ...template, $patch: "replace" } } });

export function templateOf(revision: ControllerRevision): PodTemplateSpec | undefined {
  const { template } = (revision.data as { spec?: { template?: PodTemplateSpec & { $patch?: string } } }).spec ?? {};
  if (!template) return undefined;
  const { $patch: _, ...rest } = template;
  return rest;
}

export function history(
  owner: Keeper,
  resource: Resource,
  revisions: readonly ControllerRevision[],
  failures: readonly Failure[],
): History {
  const all = [...revisions].sort((a, b) => a.revision - b.revision || (a.metadata.name < b.metadata.name ? -1 : 1));
  const data = dataOf(owner.spec.template);
  const next = (all.at(-1)?.revision ?? 0) + 1;
  const known = owner.status?.collisionCount ?? 0;
  const equal = all.findLast((revision) => sameMeaning(revision.data, data));
  if (equal && equal === all.at(-1)) return { wanted: equal, all, writes: [], collisions: known };
  if (equal) {
    // A rollback: the old revision becomes the latest.
    const wanted = { ...equal, revision: next };
    return {
      wanted,
      all: [...all.filter((each) => each !== equal), wanted],
      writes: [update(wanted)],
      collisions: known,
    };
  }
  const nameFor = (collisions: number) => {
    const hash = safeEncode(String(fnv1a(canonical(data) + (collisions === 0 ? "" : `#${collisions}`))));
    return { hash, name: `${owner.metadata.name.slice(0, 223)}-${hash}` };
  };
  const taken = (name: string) =>
    all.some((each) => each.metadata.name === name) ||
    failures.some(({ write, error }) => isCreateOf(write, name) && isAlreadyExists(error));
  const collisions = taken(nameFor(known).name) ? known + 1 : known;
  const { name, hash } = nameFor(collisions);
  const metadata = madeFrom(owner, resource, {}, name);
  const wanted = newObject(ControllerRevisions, {
    metadata: {
      ...metadata,
      labels: { ...owner.spec.template.metadata?.labels, "controller.kubernetes.io/hash": hash },
      ...(owner.metadata.annotations && { annotations: owner.metadata.annotations }),
    },
    data,
    revision: next,
  } as Omit<ControllerRevision, "apiVersion" | "kind">);
  return { wanted, all: [...all, wanted], writes: [create(ControllerRevisions, wanted)], collisions };
}

const isCreateOf = (write: Write, name: string) =>
  write.verb === "create" &&
  write.resource.plural === ControllerRevisions.plural &&
  write.object.metadata.name === name;

/** The oldest revisions beyond the limit, of those that nothing uses. */
export function outdated(owner: Keeper, { all }: History, used: ReadonlySet<string>): Write[] {
  const unused = all.filter(
    (revision) => !used.has(revision.metadata.name) && !(revision as KubeObject).metadata.deletionTimestamp,
  );
  const surplus = unused.length - (owner.spec.revisionHistoryLimit ?? 10);
  return unused.slice(0, Math.max(0, surplus)).map((revision) => remove(revision));
}
