/** The other objects that a pod's containers and volumes are made of, as the cache has them. */
import type { Cache } from "@flotilla/client";
import {
  type ConfigMap,
  ConfigMaps,
  type PersistentVolume,
  PersistentVolumeClaims,
  PersistentVolumes,
  type Pod,
  type Secret,
  Secrets,
  type Service,
  Services,
} from "@flotilla/objects";

export interface PodInputs {
  readonly configMaps: ReadonlyMap<string, ConfigMap>;
  readonly secrets: ReadonlyMap<string, Secret>;
  /** Of the pod's namespace, and default/kubernetes. */
  readonly services: readonly Service[];
  /** By the name of the claim; undefined while it is not bound. */
  readonly claims: ReadonlyMap<string, PersistentVolume | undefined>;
}

export interface PodReferences {
  readonly configMaps: ReadonlySet<string>;
  readonly secrets: ReadonlySet<string>;
  readonly claims: ReadonlySet<string>;
}

const containersOf = ({ spec }: Pod) => [...(spec.initContainers ?? []), ...spec.containers];

/** Claims made for a volume of this pod alone are named after both. */
export const ephemeralClaim = (pod: Pod, volume: string): string => `${pod.metadata.name}-${volume}`;

export function referencesOf(pod: Pod): PodReferences {
  const configMaps = new Set<string | undefined>();
  const secrets = new Set<string | undefined>();
  const claims = new Set<string>();
  for (const { env = [], envFrom = [] } of containersOf(pod)) {
    for (const { configMapRef, secretRef } of envFrom) {
      configMaps.add(configMapRef?.name);
      secrets.add(secretRef?.name);
    }
    for (const { valueFrom } of env) {
      configMaps.add(valueFrom?.configMapKeyRef?.name);
      secrets.add(valueFrom?.secretKeyRef?.name);
    }
  }
  for (const volume of pod.spec.volumes ?? []) {
    configMaps.add(volume.configMap?.name);
    secrets.add(volume.secret?.secretName);
    for (const source of volume.projected?.sources ?? []) {
      configMaps.add(source.configMap?.name);
      secrets.add(source.secret?.name);
    }
    if (volume.persistentVolumeClaim) claims.add(volume.persistentVolumeClaim.claimName);
    if (volume.ephemeral) claims.add(ephemeralClaim(pod, volume.name));
  }
  const named = (names: Set<string | undefined>) => new Set([...names].filter((name) => name !== undefined));
  return { configMaps: named(configMaps), secrets: named(secrets), claims };
}

export function inputsOf(pod: Pod, cache: Cache): PodInputs {
  const { namespace } = pod.metadata;
  const references = referencesOf(pod);
  const found = <T>(names: ReadonlySet<string>, get: (name: string) => T | undefined): Map<string, T> =>
    new Map([...names].flatMap((name) => (get(name) === undefined ? [] : [[name, get(name) as T]])));
  const kubernetes = cache.get(Services, { namespace: "default", name: "kubernetes" });
  return {
    configMaps: found(references.configMaps, (name) => cache.get(ConfigMaps, { namespace, name })),
    secrets: found(references.secrets, (name) => cache.get(Secrets, { namespace, name })),
    services: [
      ...(pod.spec.enableServiceLinks === false ? [] : cache.list(Services, { namespace })),
      ...(kubernetes && (namespace !== "default" || pod.spec.enableServiceLinks === false) ? [kubernetes] : []),
    ],
    claims: new Map(
      [...references.claims].map((name) => {
        const claim = cache.get(PersistentVolumeClaims, { namespace, name });
        const volume = claim?.status?.phase === "Bound" ? claim.spec?.volumeName : undefined;
        return [name, volume ? cache.get(PersistentVolumes, { name: volume }) : undefined];
      }),
    ),
  };
}
