/**
 * Holds pods to the level that their namespace's labels name: refuses what may not run, warns of what will not.
 *
 * Source: pod-security-admission admission/admission.go. Audit annotations are left out, as there is no audit log.
 */
import {
  type Container,
  type CronJob,
  controllerOf,
  type Deployment,
  forbidden,
  invalid,
  type KubeObject,
  type Namespace,
  Namespaces,
  type Pod,
  resourceName,
} from "@flotilla/objects";
import { detailsOf, type Judged, violations } from "./pod-security-checks.ts";
import { compareLevels, type LevelVersion, policyOf, textOf } from "./pod-security-policy.ts";
import type { AdmissionRequest, AdmissionStep } from "./request.ts";

export const checkPodSecurity: AdmissionStep = (request) => {
  if (request.operation === "DELETE") return;
  const name = resourceName(request.resource);
  if (name === "namespaces") checkNamespace(request);
  else if (name === "pods") checkPod(request);
  else if (withTemplate.has(name) && !request.subresource) warnOfTemplate(request);
};

/** Subresources of pods that do not change what runs. */
const harmless = new Set(["binding", "eviction", "status", "log", "exec", "attach", "portforward", "proxy"]);

function checkPod(request: AdmissionRequest): void {
  const { resource, subresource, object, before, context } = request;
  if (subresource && harmless.has(subresource)) return;
  if (before && !changesContainers(object as Pod, before as Pod)) return;
  const policy = policyIn(request);
  if (!policy) return;
  const refused = violations(policy.enforce.level, object as Pod);
  if (refused.length > 0)
    throw forbidden(
      resource,
      object.metadata.name,
      `violates PodSecurity "${textOf(policy.enforce)}": ${detailsOf(refused)}`,
    );
  warn(policy.warn, object as Pod, context.warn);
}

/** Of what will be refused once the controller makes pods of it. */
function warnOfTemplate(request: AdmissionRequest): void {
  const template = templateOf(request.object);
  const policy = template?.spec && policyIn(request);
  if (policy) warn(policy.warn, template as Judged, request.context.warn);
}

function warn(level: LevelVersion, pod: Judged, say: (text: string) => void): void {
  const found = violations(level.level, pod);
  if (found.length > 0) say(`would violate PodSecurity "${textOf(level)}": ${detailsOf(found)}`);
}

const policyIn = ({ transaction, object }: AdmissionRequest) => {
  const namespace = transaction.get("namespaces", object.metadata.namespace ?? "") as Namespace | undefined;
  return namespace && policyOf(namespace.metadata.labels).policy;
};

const withTemplate = new Set([
  "replicationcontrollers",
  "podtemplates",
  "replicasets.apps",
  "deployments.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "jobs.batch",
  "cronjobs.batch",
]);

function templateOf(object: KubeObject): Partial<Judged> | undefined {
  if (object.kind === "CronJob") return (object as CronJob).spec.jobTemplate.spec?.template;
  if (object.kind === "PodTemplate") return (object as KubeObject & { template?: Judged }).template;
  return (object as Deployment).spec?.template as Partial<Judged> | undefined;
}

/** Of what may be changed in a pod, only images and added containers matter. */
function changesContainers({ spec: after }: Pod, { spec: before }: Pod): boolean {
  const differ = (a: readonly Container[] = [], b: readonly Container[] = []) =>
    a.length !== b.length || a.some(({ image }, index) => image !== b[index]?.image);
  return (
    differ(after.containers, before.containers) ||
    differ(after.initContainers, before.initContainers) ||
    differ(after.ephemeralContainers as Container[], before.ephemeralContainers as Container[])
  );
}

/** Its labels must be readable; when it becomes stricter, pods that are there already are told of. */
function checkNamespace({ subresource, object, before, transaction, context }: AdmissionRequest): void {
  if (subresource) return;
  const { name, labels } = object.metadata;
  const { policy, mistakes } = policyOf(labels);
  const known = before && policyOf(before.metadata.labels);
  const knownMistakes = new Set(known?.mistakes.map(({ field, message }) => `${field} ${message}`));
  if (mistakes.some(({ field, message }) => !knownMistakes.has(`${field} ${message}`)))
    throw invalid(Namespaces, name, mistakes);
  const { enforce } = policy;
  const was = known?.policy.enforce;
  if (!was || enforce.level === "privileged" || textOf(enforce) === textOf(was)) return;
  if (enforce.version === was.version && compareLevels(enforce.level, was.level) <= 0) return;
  for (const warning of warningsOf(name, enforce, transaction.list("pods", name) as Pod[])) context.warn(warning);
}

/** As many pods are looked at, those of different controllers first. */
const mostChecked = 3000;

function warningsOf(namespace: string, enforce: LevelVersion, pods: readonly Pod[]): string[] {
  const controllers = new Set<string>();
  const isFirst = (pod: Pod) => {
    const uid = controllerOf(pod)?.uid;
    return uid === undefined || (!controllers.has(uid) && Boolean(controllers.add(uid)));
  };
  const { first = [], others = [] } = Object.groupBy(pods, (pod) => (isFirst(pod) ? "first" : "others"));
  const checked = [...first, ...others].slice(0, mostChecked);
  const names = new Map<string, string[]>();
  for (const pod of checked) {
    const found = violations(enforce.level, pod);
    if (found.length === 0) continue;
    const reasons = found.map(({ reason }) => reason).join(", ");
    names.set(reasons, [...(names.get(reasons) ?? []), pod.metadata.name]);
  }
  const told = [...names].map(([reasons, violating]) => {
    const [least, ...more] = violating.sort();
    const rest = more.length === 0 ? "" : ` (and ${more.length} other ${more.length === 1 ? "pod" : "pods"})`;
    return `${least}${rest}: ${reasons}`;
  });
  return [
    ...(checked.length < pods.length
      ? [
          `new PodSecurity enforce level only checked against the first ${checked.length} of ${pods.length} existing pods`,
        ]
      : []),
    ...(told.length > 0
      ? [`existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${textOf(enforce)}"`]
      : []),
    ...told.sort(),
  ];
}
