/** The pod template of a service or a job, and the objects that only its pods read. */
import type {
  Container,
  EnvVar,
  KubeObject,
  PodSpec,
  PodTemplateSpec,
  TopologySpreadConstraint,
} from "@flotilla/objects";
import { seconds } from "../model/formats.ts";
import type { Program, Service } from "../model/service.ts";
import {
  annotation,
  type Expansion,
  imageOf,
  type Part,
  selectorLabels,
  templateMetadata,
  versionedLabels,
} from "./context.ts";
import { environmentVariables } from "./environment-variables.ts";
import { mountedFiles } from "./mounted-files.ts";
import { portsOf, transport } from "./ports.ts";
import { probesOf } from "./probes.ts";
import { resourcesOf } from "./resources.ts";
import { builtUser, restricted } from "./security.ts";
import { telemetryVariables } from "./telemetry-variables.ts";
import { type Volumes, volumesOf } from "./volumes.ts";

export interface Template {
  readonly template: PodTemplateSpec;
  /** What must be there before its pods. */
  readonly reads: readonly KubeObject[];
  readonly claims: Volumes["templates"];
}

/** "Deployment" and the like, or a job. */
export type Runs = NonNullable<Service["kind"]> | "Job";

/** How long a pod that is told to stop goes on answering, until everybody has heard that it is gone. */
const drainSeconds = 3;

export function podTemplate(
  expansion: Expansion,
  part: Part,
  program: Program & Partial<Service>,
  runs: Runs,
): Template {
  const { image } = imageOf(expansion, part.name, program);
  const files = mountedFiles(expansion, part, program.files);
  const volumes = volumesOf(expansion, part, program.volumes, runs === "StatefulSet");
  const ports = portsOf(program);
  const container: Container = {
    name: part.name,
    image,
    ...(program.command && { command: [...program.command] }),
    ...(program.args && { args: [...program.args] }),
    ...(program.workingDir && { workingDir: program.workingDir }),
    ...(ports.length > 0 && {
      ports: ports.map(({ name, targetPort, protocol }) => ({
        name,
        containerPort: targetPort,
        protocol: transport(protocol),
      })),
    }),
    env: merged(telemetryVariables(expansion, part), environmentVariables(expansion, program)),
    ...(runs !== "Job" && probesOf(program as Service)),
    ...(runs !== "Job" && ports.length > 0 && { lifecycle: { preStop: { sleep: { seconds: drainSeconds } } } }),
    resources: resourcesOf(program.resources),
    securityContext: { ...restricted.container, ...program.securityContext },
    volumeMounts: [...files.mounts, ...volumes.mounts],
  };
  if (container.env?.length === 0) delete container.env;
  const { identity, placement } = program;
  const spec: PodSpec = {
    ...(runs === "Job" && { restartPolicy: "Never" }),
    serviceAccountName: identity?.serviceAccount ?? part.name,
    automountServiceAccountToken: (identity?.rules?.length ?? 0) > 0 || identity?.serviceAccount !== undefined,
    terminationGracePeriodSeconds: seconds(program.terminationGracePeriod ?? "30s"),
    securityContext: { ...restricted.pod, ...(program.source !== undefined && builtUser) },
    ...(placement?.nodeSelector && { nodeSelector: placement.nodeSelector }),
    ...(placement?.tolerations && { tolerations: [...placement.tolerations] }),
    ...(placement?.priorityClass && { priorityClassName: placement.priorityClass }),
    ...(placement?.runtimeClass && { runtimeClassName: placement.runtimeClass }),
    ...(runs !== "Job" && spread(expansion, part, program as Service)),
    ...(program.init && { initContainers: program.init.map(confined) }),
    containers: [container, ...(program.sidecars ?? []).map(confined)],
    volumes: [...files.volumes, ...volumes.volumes],
  };

  return {
    template: {
      metadata: templateMetadata(
        versionedLabels(expansion, part),
        files.hash ? { annotations: { [annotation.configuration]: files.hash } } : {},
      ),
      spec,
    },
    reads: [...(files.configMap ? [files.configMap] : []), ...volumes.claims],
    claims: volumes.templates,
  };
}

/** What is stated wins; what others refer to comes first. */
const merged = (given: readonly EnvVar[], stated: readonly EnvVar[]): EnvVar[] => [
  ...given.filter(({ name }) => !stated.some((variable) => variable.name === name)),
  ...stated,
];

/** Containers that a team adds are restricted too, unless they say otherwise. */
const confined = (container: Container): Container => ({
  ...container,
  securityContext: { ...restricted.container, ...container.securityContext },
});

/** The fewest replicas that there can be. */
export const fewestReplicas = (service: Service | Service): number =>
  service.kind === "DaemonSet" ? 0 : service.scale ? (service.scale.min ?? 1) : (service.replicas ?? 1);

/** Over nodes, then zones; a wish, so that a small cluster is no obstacle. Replicas of one version are counted. */
function spread(
  expansion: Expansion,
  part: Part,
  service: Service,
): Pick<PodSpec, "topologySpreadConstraints"> | undefined {
  if (service.placement?.spread === false || fewestReplicas(service) < 2) return undefined;
  const over = (topologyKey: string): TopologySpreadConstraint => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: selectorLabels(expansion.app.name, part.name) },
    ...(service.kind !== "StatefulSet" && { matchLabelKeys: ["pod-template-hash"] }),
  });
  return { topologySpreadConstraints: [over("kubernetes.io/hostname"), over("topology.kubernetes.io/zone")] };
}
