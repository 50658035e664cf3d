/** Every pod runs as a ServiceAccount of its namespace and, unless told not to, carries a token of it. Source: kubernetes plugin/pkg/admission/serviceaccount */
import type { Random } from "@flotilla/ambient";
import { forbidden, type Pod, type PodSpec, Pods, resourceName, type ServiceAccount } from "@flotilla/objects";
import { randomSuffix } from "../registry/parts.ts";
import type { AdmissionStep } from "./request.ts";

const tokenFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Seconds; an hour and some, so that the age of a token tells it from one that was asked for. */
const tokenExpiration = 3607;
const mirrorAnnotation = "kubernetes.io/config.mirror";

export const giveServiceAccount: AdmissionStep = ({ parts, transaction, operation, resource, subresource, object }) => {
  if (resourceName(resource) !== "pods" || operation !== "CREATE" || subresource) return;
  const pod = object as Pod;
  const { namespace, name, annotations } = pod.metadata;
  const { spec } = pod;
  if (annotations?.[mirrorAnnotation] !== undefined) {
    if (spec.serviceAccountName) throw forbidden(Pods, name, "a mirror pod may not reference service accounts");
    return;
  }
  spec.serviceAccountName ||= "default";
  spec.serviceAccount = spec.serviceAccountName;
  const account = transaction.get("serviceaccounts", `${namespace}/${spec.serviceAccountName}`) as
    | ServiceAccount
    | undefined;
  if (!account)
    throw forbidden(
      Pods,
      name,
      `error looking up service account ${namespace}/${spec.serviceAccountName}: serviceaccount "${spec.serviceAccountName}" not found`,
    );
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec, parts.random);
  if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
    spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ name: secret.name }));
};

function mountToken(spec: PodSpec, random: Random): void {
  const containers = [...(spec.initContainers ?? []), ...spec.containers].filter(
    ({ volumeMounts }) => !volumeMounts?.some(({ mountPath }) => mountPath === tokenFolder),
  );
  if (containers.length === 0) return;
  const present = spec.volumes?.find(({ name }) => name.startsWith("kube-api-access-"));
  const name = present?.name ?? `kube-api-access-${randomSuffix(random)}`;
  for (const container of containers)
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: tokenFolder }];
  if (present) return;
  const sources = [
    { serviceAccountToken: { expirationSeconds: tokenExpiration, path: "token" } },
    { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    {
      downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] },
    },
  ];
  spec.volumes = [...(spec.volumes ?? []), { name, projected: { sources, defaultMode: 0o644 } }];
}
