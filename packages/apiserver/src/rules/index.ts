/** The rules of every kind that has any beyond the table. */
import { type KubeObject, type Resource, resourceName } from "@flotilla/objects";
import type { KindRules } from "../kind-rules.ts";
import { controllerRevisions } from "./apps/controller-revision.ts";
import { daemonSets } from "./apps/daemon-set.ts";
import { deployments } from "./apps/deployment.ts";
import { replicaSets } from "./apps/replica-set.ts";
import { statefulSets } from "./apps/stateful-set.ts";
import { cronJobs } from "./batch/cron-job.ts";
import { jobs } from "./batch/job.ts";
import { certificateSigningRequests } from "./cluster/certificate-signing-request.ts";
import { apiServices, customResourceDefinitions } from "./cluster/custom-resource-definition.ts";
import { leases, runtimeClasses } from "./cluster/small-kinds.ts";
import {
  mutatingWebhooks,
  validatingPolicies,
  validatingPolicyBindings,
  validatingWebhooks,
} from "./cluster/webhooks.ts";
import { configMaps } from "./core/config-map.ts";
import { endpointSlices, endpoints } from "./core/endpoints.ts";
import { events, eventsEvents } from "./core/event.ts";
import { limitRanges } from "./core/limit-range.ts";
import { namespaces } from "./core/namespace.ts";
import { nodes } from "./core/node.ts";
import { podTemplates, replicationControllers } from "./core/replication-controller.ts";
import { resourceQuotas } from "./core/resource-quota.ts";
import { secrets } from "./core/secret.ts";
import { services } from "./core/service.ts";
import { serviceAccounts } from "./core/service-account.ts";
import { persistentVolumeClaims, persistentVolumes } from "./core/volumes.ts";
import { serviceLevelObjectives } from "./flotilla/service-level-objective.ts";
import { gatewayClasses, gateways, httpRoutes, referenceGrants } from "./networking/gateway.ts";
import { ingressClasses, ingresses } from "./networking/ingress.ts";
import { networkPolicies } from "./networking/network-policy.ts";
import { normalize } from "./normal-form.ts";
import { pods } from "./pod/pod.ts";
import { autoscalers, autoscalersV1 } from "./policy/autoscaler.ts";
import { disruptionBudgets } from "./policy/disruption-budget.ts";
import { priorityClasses } from "./policy/priority-class.ts";
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from "./policy/rbac.ts";
import { csiDrivers, storageClasses } from "./storage/storage-class.ts";
import { volumeAttachments } from "./storage/volume-attachment.ts";

/** Each is called with objects of its own kind only. */
const rules = {
  "apiservices.apiregistration.k8s.io": apiServices,
  "certificatesigningrequests.certificates.k8s.io": certificateSigningRequests,
  "clusterrolebindings.rbac.authorization.k8s.io": clusterRoleBindings,
  configmaps: configMaps,
  "controllerrevisions.apps": controllerRevisions,
  "cronjobs.batch": cronJobs,
  "csidrivers.storage.k8s.io": csiDrivers,
  "customresourcedefinitions.apiextensions.k8s.io": customResourceDefinitions,
  endpoints,
  "endpointslices.discovery.k8s.io": endpointSlices,
  events,
  "events.events.k8s.io": eventsEvents,
  "ingressclasses.networking.k8s.io": ingressClasses,
  "ingresses.networking.k8s.io": ingresses,
  limitranges: limitRanges,
  "mutatingwebhookconfigurations.admissionregistration.k8s.io": mutatingWebhooks,
  "networkpolicies.networking.k8s.io": networkPolicies,
  nodes,
  "gatewayclasses.gateway.networking.k8s.io": gatewayClasses,
  "gateways.gateway.networking.k8s.io": gateways,
  "httproutes.gateway.networking.k8s.io": httpRoutes,
  "referencegrants.gateway.networking.k8s.io": referenceGrants,
  resourcequotas: resourceQuotas,
  "clusterroles.rbac.authorization.k8s.io": clusterRoles,
  "leases.coordination.k8s.io": leases,
  "poddisruptionbudgets.policy": disruptionBudgets,
  "roles.rbac.authorization.k8s.io": roles,
  "runtimeclasses.node.k8s.io": runtimeClasses,
  "volumeattachments.storage.k8s.io": volumeAttachments,
  podtemplates: podTemplates,
  "priorityclasses.scheduling.k8s.io": priorityClasses,
  replicationcontrollers: replicationControllers,
  "servicelevelobjectives.flotilla.dev": serviceLevelObjectives,
  "rolebindings.rbac.authorization.k8s.io": roleBindings,
  serviceaccounts: serviceAccounts,
  "storageclasses.storage.k8s.io": storageClasses,
  "validatingadmissionpolicies.admissionregistration.k8s.io": validatingPolicies,
  "validatingadmissionpolicybindings.admissionregistration.k8s.io": validatingPolicyBindings,
  "validatingwebhookconfigurations.admissionregistration.k8s.io": validatingWebhooks,
  "daemonsets.apps": daemonSets,
  "deployments.apps": deployments,
  "jobs.batch": jobs,
  namespaces,
  persistentvolumeclaims: persistentVolumeClaims,
  persistentvolumes: persistentVolumes,
  pods,
  "replicasets.apps": replicaSets,
  secrets,
  services,
  "statefulsets.apps": statefulSets,
} as unknown as Readonly<Record<string, KindRules>>;

/** Served in two versions of which each has fields of its own. */
const byVersion = {
  "horizontalpodautoscalers.autoscaling v1": autoscalersV1,
  "horizontalpodautoscalers.autoscaling v2": autoscalers,
} as unknown as Readonly<Record<string, KindRules>>;

const known = new WeakMap<Resource, KindRules>();

/** Defaults include the normal form of every kind of the table. */
export function rulesOf(resource: Resource): KindRules {
  let found = known.get(resource);
  if (!found) {
    const name = resourceName(resource);
    const own = rules[name] ?? byVersion[`${name} ${resource.version}`] ?? {};
    found = {
      ...own,
      defaults(object: KubeObject) {
        normalize(resource, object);
        own.defaults?.(object);
      },
    };
    known.set(resource, found);
  }
  return found;
}
