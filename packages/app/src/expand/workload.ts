/** The Deployment, StatefulSet or DaemonSet of a service. */
import { DaemonSets, Deployments, type KubeObject, newObject, StatefulSets } from "@flotilla/objects";
import { seconds } from "../model/formats.ts";
import type { Service } from "../model/service.ts";
import { type Expansion, type Part, selectorLabels, versionedMetadata } from "./context.ts";
import type { Template } from "./pod-template.ts";
import { portsOf } from "./ports.ts";

/** The headless Service of a StatefulSet. */
export const governingService = (service: string): string => `${service}-pods`;

export function workload(
  expansion: Expansion,
  part: Part,
  service: Service,
  { template, claims }: Template,
): KubeObject {
  const metadata = versionedMetadata(expansion, part);
  const selector = { matchLabels: selectorLabels(expansion.app.name, part.name) };
  // Where an autoscaler decides, nobody else states a number.
  const replicas = service.scale ? {} : { replicas: service.replicas ?? 1 };
  if (service.kind === "DaemonSet") {
    const updateStrategy = { type: "RollingUpdate" as const, rollingUpdate: { maxUnavailable: 1 } };
    return newObject(DaemonSets, { metadata, spec: { selector, template, updateStrategy } });
  }
  if (service.kind === "StatefulSet")
    return newObject(StatefulSets, {
      metadata,
      spec: {
        ...replicas,
        serviceName: portsOf(service).length > 0 ? governingService(part.name) : part.name,
        selector,
        template,
        ...(claims.length > 0 && { volumeClaimTemplates: claims }),
      },
    });
  // A claim that one node may mount can not move to a new pod while the old one holds it.
  const exclusive = Object.values(service.volumes ?? {}).some(
    (volume) => !volume.ephemeral && (volume.access ?? "ReadWriteOnce").startsWith("ReadWriteOnce"),
  );
  return newObject(Deployments, {
    metadata,
    spec: {
      ...replicas,
      selector,
      strategy: exclusive
        ? { type: "Recreate" }
        : { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 } },
      progressDeadlineSeconds: seconds(service.release?.maxDuration ?? "10m"),
      template,
    },
  });
}
