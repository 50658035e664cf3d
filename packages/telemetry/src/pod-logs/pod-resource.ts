/** The resource that a container's records have. */
import type { Pod } from "@flotilla/objects";
import { attributesOf } from "../attributes.ts";
import type { Resource } from "../otlp/types.ts";

/** What the names of the log folders do not say: labels of the pod. */
export interface PodLabels {
  readonly service?: string;
  readonly app?: string;
  readonly version?: string;
}

export interface LogFolder {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
}

/** Source: packages/node: what the agent runs by itself has this in place of a uid. */
export const staticUid = "static";

/** "shop_orders-5d8f9c7b6d-x2x4z_<uid>"; none of the three can have a "_". */
export function logFolderOf(name: string): LogFolder | undefined {
  const [namespace, pod, uid, ...more] = name.split("_");
  return namespace && pod && uid && more.length === 0 ? { namespace, pod, uid } : undefined;
}

export const labelsOf = ({ metadata: { labels = {} } }: Pod): PodLabels => ({
  service: labels["app.kubernetes.io/name"],
  app: labels["app.kubernetes.io/part-of"],
  version: labels["app.kubernetes.io/version"],
});

/** `labels`: undefined when nobody knows the pod any more; its service is then guessed from its name. */
export function resourceOf(
  { namespace, pod, uid }: LogFolder,
  container: string,
  nodeName: string,
  labels: PodLabels | undefined,
): Resource {
  const isStatic = uid === staticUid;
  // As the API shows them, see the agent's mirror pods.
  const podName = isStatic ? `${pod}-${nodeName}` : pod;
  return {
    attributes: attributesOf({
      "service.name": isStatic ? pod : (labels?.service ?? withoutHashes(pod)),
      "service.namespace": isStatic ? "flotilla" : labels?.app,
      "service.version": labels?.version,
      "service.instance.id": podName,
      "k8s.namespace.name": namespace,
      "k8s.pod.name": podName,
      "k8s.pod.uid": uid,
      "k8s.container.name": container,
      "k8s.node.name": nodeName,
    }),
  };
}

/** A Deployment's, DaemonSet's or Job's name of the name of its pod: the endings are letters that Kubernetes makes names of. */
const withoutHashes = (pod: string): string =>
  pod.replace(/(?:-[bcdf-hj-np-tv-xz2456789]{6,10})?-(?:[bcdf-hj-np-tv-xz2456789]{5}|\d{1,3})$/, "");
