/** Tables: what `kubectl get` shows of each kind. Loaded when the first table is asked for. */
import { apiVersionOf, type KubeObject, type Resource } from "@flotilla/objects";
import * as access from "./access.ts";
import { appPrinter } from "./app.ts";
import { autoscalerPrinter, autoscalerV1Printer } from "./autoscaling.ts";
import * as core from "./core.ts";
import { eventPrinter } from "./event.ts";
import * as network from "./network.ts";
import { objectivePrinter } from "./objective.ts";
import { podPrinter } from "./pod.ts";
import { type Cell, type Printer, printer, text } from "./printer.ts";
import * as storage from "./storage.ts";
import * as workloads from "./workloads.ts";

export { customPrinter } from "./custom-columns.ts";
export type { Cell, Column, Printer, RowCondition } from "./printer.ts";

/** Kinds without columns of their own. Source: apiserver pkg/registry/rest (defaultTableConvertor). */
export const defaultPrinter: Printer = printer(text("Created At", ({ metadata }) => metadata.creationTimestamp ?? ""));

// Each printer takes objects of its own kind only; the table's key is what says so.
const printers: Readonly<Record<string, Printer<never>>> = {
  "v1/Pod": podPrinter,
  "v1/PodTemplate": workloads.podTemplatePrinter,
  "v1/ReplicationController": workloads.replicationControllerPrinter,
  "v1/Service": network.servicePrinter,
  "v1/Endpoints": network.endpointsPrinter,
  "v1/ConfigMap": core.configMapPrinter,
  "v1/Secret": core.secretPrinter,
  "v1/Namespace": core.namespacePrinter,
  "v1/Node": core.nodePrinter,
  "v1/Event": eventPrinter,
  "v1/PersistentVolume": storage.persistentVolumePrinter,
  "v1/PersistentVolumeClaim": storage.persistentVolumeClaimPrinter,
  "v1/ServiceAccount": access.serviceAccountPrinter,
  "v1/ResourceQuota": core.resourceQuotaPrinter,
  "v1/ComponentStatus": core.componentStatusPrinter,
  "apps/v1/Deployment": workloads.deploymentPrinter,
  "apps/v1/ReplicaSet": workloads.replicaSetPrinter,
  "apps/v1/StatefulSet": workloads.statefulSetPrinter,
  "apps/v1/DaemonSet": workloads.daemonSetPrinter,
  "apps/v1/ControllerRevision": workloads.controllerRevisionPrinter,
  "autoscaling/v1/HorizontalPodAutoscaler": autoscalerV1Printer,
  "autoscaling/v2/HorizontalPodAutoscaler": autoscalerPrinter,
  "autoscaling/v1/Scale": core.scalePrinter,
  "batch/v1/Job": workloads.jobPrinter,
  "batch/v1/CronJob": workloads.cronJobPrinter,
  "policy/v1/PodDisruptionBudget": workloads.podDisruptionBudgetPrinter,
  "discovery.k8s.io/v1/EndpointSlice": network.endpointSlicePrinter,
  "networking.k8s.io/v1/Ingress": network.ingressPrinter,
  "networking.k8s.io/v1/IngressClass": network.ingressClassPrinter,
  "networking.k8s.io/v1/NetworkPolicy": network.networkPolicyPrinter,
  "events.k8s.io/v1/Event": eventPrinter,
  "storage.k8s.io/v1/StorageClass": storage.storageClassPrinter,
  "storage.k8s.io/v1/VolumeAttachment": storage.volumeAttachmentPrinter,
  "storage.k8s.io/v1/CSINode": storage.csiNodePrinter,
  "storage.k8s.io/v1/CSIDriver": storage.csiDriverPrinter,
  "storage.k8s.io/v1/CSIStorageCapacity": storage.csiStorageCapacityPrinter,
  "rbac.authorization.k8s.io/v1/RoleBinding": access.roleBindingPrinter,
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": access.roleBindingPrinter,
  "certificates.k8s.io/v1/CertificateSigningRequest": access.signingRequestPrinter,
  "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration": access.webhookPrinter,
  "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration": access.webhookPrinter,
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy": access.admissionPolicyPrinter,
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding": access.admissionPolicyBindingPrinter,
  "coordination.k8s.io/v1/Lease": core.leasePrinter,
  "scheduling.k8s.io/v1/PriorityClass": core.priorityClassPrinter,
  "node.k8s.io/v1/RuntimeClass": core.runtimeClassPrinter,
  "apiregistration.k8s.io/v1/APIService": core.apiServicePrinter,
  "gateway.networking.k8s.io/v1/Gateway": network.gatewayPrinter,
  "gateway.networking.k8s.io/v1/GatewayClass": network.gatewayClassPrinter,
  "gateway.networking.k8s.io/v1/HTTPRoute": network.routePrinter,
  "gateway.networking.k8s.io/v1/GRPCRoute": network.routePrinter,
  "flotilla.dev/v1alpha1/App": appPrinter,
  "flotilla.dev/v1alpha1/ServiceLevelObjective": objectivePrinter,
};

/** The printer of a kind of the table. */
export const printerOf = (resource: Pick<Resource, "group" | "version" | "kind">): Printer =>
  (printers[`${apiVersionOf(resource)}/${resource.kind}`] as Printer | undefined) ?? defaultPrinter;

export interface Row {
  readonly cells: Cell[];
  readonly conditions?: readonly object[];
  readonly object?: unknown;
}

export interface Table {
  readonly kind: "Table";
  readonly apiVersion: string;
  readonly metadata: object;
  readonly columnDefinitions?: readonly object[];
  readonly rows: readonly Row[];
}

/** How much of each object a row carries. */
export type IncludeObject = "None" | "Metadata" | "Object";

export const columnDefinitions = ({ columns }: Printer): object[] =>
  columns.map(({ name, type, format = "", description = "", priority }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));

export function row({ columns, conditions }: Printer, object: KubeObject, include: IncludeObject, now: number): Row {
  const notes = conditions?.(object);
  return {
    cells: columns.map((column) => column.cell(object, now) ?? null),
    ...(notes && { conditions: notes }),
    ...(include === "Object" && { object }),
    ...(include === "Metadata" && { object: partialMetadata(object) }),
  };
}

export const partialMetadata = ({ metadata }: KubeObject): object => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata,
});
