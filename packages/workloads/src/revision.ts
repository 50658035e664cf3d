/**
 * What a Deployment notes on its ReplicaSets: their revisions, so that `kubectl rollout history` and `undo` find them, and
 * the size that they were made for.
 *
 * Source: kubernetes pkg/controller/deployment/util/deployment_util.go.
 */
import { type Deployment, fnv1a, type PodTemplateSpec, type ReplicaSet, safeEncode } from "@flotilla/objects";
import { canonical } from "./canonical.ts";

export const revisionAnnotation = "deployment.kubernetes.io/revision";
const historyAnnotation = "deployment.kubernetes.io/revision-history";
const desiredAnnotation = "deployment.kubernetes.io/desired-replicas";
const maxAnnotation = "deployment.kubernetes.io/max-replicas";
export const hashLabel = "pod-template-hash";

/** The history of revisions of one set may be this long. */
const maxHistory = 2000;

const notCopied = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
]);

type Annotations = Record<string, string>;
type Annotated = { metadata: { annotations?: Annotations } };

const countIn = (object: Annotated, key: string): number | undefined => {
  const text = object.metadata.annotations?.[key];
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
};

export const revisionOf = (object: Annotated): number => countIn(object, revisionAnnotation) ?? 0;
export const annotatedDesired = (set: ReplicaSet): number | undefined => countIn(set, desiredAnnotation);
export const annotatedMax = (set: ReplicaSet): number | undefined => countIn(set, maxAnnotation);

export const sizeAnnotations = (desired: number, max: number): Annotations => ({
  [desiredAnnotation]: String(desired),
  [maxAnnotation]: String(max),
});

/** The annotations of the set of the current template, when it is to be at least of that revision. */
export function currentAnnotations(deployment: Deployment, set: Annotated, revision: number): Annotations {
  const annotations: Annotations = { ...set.metadata.annotations };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {}))
    if (!notCopied.has(key)) annotations[key] = value;
  const before = revisionOf(set);
  if (before >= revision) return annotations;
  annotations[revisionAnnotation] = String(revision);
  if (before > 0) {
    // A set that becomes current again (a rollback) keeps the numbers that it had.
    const history = [...(annotations[historyAnnotation]?.split(",") ?? []), String(before)];
    while (history.join(",").length > maxHistory) history.shift();
    annotations[historyAnnotation] = history.join(",");
  }
  return annotations;
}

const withoutHash = (template: PodTemplateSpec | undefined): unknown => {
  if (!template) return undefined;
  const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
};

export const sameTemplate = (a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean =>
  a === b || canonical(withoutHash(a)) === canonical(withoutHash(b));

/** Names a version of a template; `collisions` makes another name when somebody else has taken the first. */
export const templateHash = (template: PodTemplateSpec, collisions: number | undefined): string =>
  safeEncode(String(fnv1a(canonical(template) + (collisions === undefined ? "" : `#${collisions}`))));
