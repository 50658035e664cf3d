/** What both controllers of the agent look at: a pod of this node, what really runs of it, and what it is made of. */
import { type Cache, type Key, type Source, type Watch, watch, watchMapped } from "@flotilla/client";
import {
  ConfigMaps,
  type KubeObject,
  PersistentVolumeClaims,
  PersistentVolumes,
  type Pod,
  Pods,
  Secrets,
  Services,
} from "@flotilla/objects";
import type { NodeFacts } from "./container-env.ts";
import type { LocalPod } from "./local-pod.ts";
import { inputsOf, type PodInputs, type PodReferences, referencesOf } from "./pod-inputs.ts";

export interface PodObservation {
  readonly pod: Pod | undefined;
  /** Pods of this name that this node holds; more than one while an earlier one of the name is ending. */
  readonly locals: readonly LocalPod[];
  readonly inputs: PodInputs;
}

export interface AgentFacts extends NodeFacts {
  readonly scheme: string;
}

/** Marks pods that stand for containers which the agent runs by itself. Source: kubernetes pkg/kubelet/types. */
export const mirrorAnnotation = "kubernetes.io/config.mirror";

const noInputs: PodInputs = { configMaps: new Map(), secrets: new Map(), services: [], claims: new Map() };

export const podKey = ({ metadata: { namespace, name } }: Pod): string => `${namespace}/${name}`;

export function keyFromText(text: string): Key {
  const [namespace, name = ""] = text.split("/");
  return { namespace, name };
}

/** The pods of this node whose `kind` of references holds the object. */
const users = (kind: keyof PodReferences, nodeName: string) => (object: KubeObject, cache: Cache) =>
  cache
    .list(Pods, { namespace: object.metadata.namespace })
    .filter((pod) => pod.spec.nodeName === nodeName && referencesOf(pod)[kind].has(object.metadata.name))
    .map(({ metadata: { namespace, name } }) => ({ namespace, name }));

export const podWatches = (nodeName: string): readonly Watch[] => [
  watch(Pods, { fieldSelector: `spec.nodeName=${nodeName}` }),
  watchMapped(ConfigMaps, users("configMaps", nodeName)),
  watchMapped(Secrets, users("secrets", nodeName)),
  watchMapped(PersistentVolumeClaims, users("claims", nodeName)),
  watchMapped(PersistentVolumes, ({ spec }, cache) => {
    const { namespace, name } = spec?.claimRef ?? {};
    const claim = namespace && name ? cache.get(PersistentVolumeClaims, { namespace, name }) : undefined;
    return claim ? users("claims", nodeName)(claim, cache) : [];
  }),
  // Services are read when a container starts; a change concerns no pod that runs.
  watchMapped(Services, () => []),
];

export function observePod(key: Key, cache: Cache, source: Source<readonly LocalPod[]>): PodObservation | undefined {
  const pod = cache.get(Pods, key);
  const locals = cache.source(source, `${key.namespace}/${key.name}`)?.value ?? [];
  if (pod?.metadata.annotations?.[mirrorAnnotation] !== undefined) return undefined;
  if (!pod && locals.length === 0) return undefined;
  return { pod, locals, inputs: pod ? inputsOf(pod, cache) : noInputs };
}
