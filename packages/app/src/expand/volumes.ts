/** `volumes`: claims that outlive pods, and folders that do not. */
import {
  newObject,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  type Volume,
  type VolumeMount,
} from "@flotilla/objects";
import type { Volume as ModelVolume, Program } from "../model/service.ts";
import { type Expansion, metadataOf, type Part, selectorLabels } from "./context.ts";

export interface Volumes {
  readonly volumes: Volume[];
  readonly mounts: VolumeMount[];
  /** Claims shared by all replicas. */
  readonly claims: PersistentVolumeClaim[];
  /** Claims of each replica of a StatefulSet. */
  readonly templates: PersistentVolumeClaim[];
}

const claimSpec = (volume: ModelVolume) => ({
  accessModes: [volume.access ?? "ReadWriteOnce"],
  ...(volume.class && { storageClassName: volume.class }),
  resources: { requests: { storage: volume.size ?? "1Gi" } },
});

export function volumesOf(expansion: Expansion, part: Part, stated: Program["volumes"], perReplica: boolean): Volumes {
  const result: Volumes = { volumes: [], mounts: [], claims: [], templates: [] };
  for (const [name, volume] of Object.entries(stated ?? {})) {
    result.mounts.push({ name, mountPath: volume.mount });
    if (volume.ephemeral) {
      result.volumes.push({ name, emptyDir: { ...(volume.size && { sizeLimit: volume.size }) } });
    } else if (perReplica) {
      const metadata = { name, labels: selectorLabels(expansion.app.name, part.name) };
      result.templates.push(newObject(PersistentVolumeClaims, { metadata, spec: claimSpec(volume) }));
    } else {
      const claimName = `${part.name}-${name}`;
      result.volumes.push({ name, persistentVolumeClaim: { claimName } });
      result.claims.push(
        newObject(PersistentVolumeClaims, {
          metadata: metadataOf(expansion, part, claimName),
          spec: claimSpec(volume),
        }),
      );
    }
  }
  if (!result.mounts.some((mount) => mount.mountPath === "/tmp")) {
    result.volumes.push({ name: "tmp", emptyDir: {} });
    result.mounts.push({ name: "tmp", mountPath: "/tmp" });
  }
  return result;
}
