/** pods/binding: a pod gets its node, once. Source: kubernetes pkg/registry/core/pod/storage/storage.go */
import { badRequest, conflict, type KubeObject, notFound, type Pod, Pods, type Status } from "@flotilla/objects";
import { mustBeValid } from "../checking.ts";
import { clone } from "../clone.ts";
import { keyOf, type Place, timestamp, type Writing } from "../parts.ts";
import { replaceObject } from "../updating.ts";

interface BindingBody extends Partial<KubeObject> {
  target?: { kind?: string; name?: string };
}

export const success = (): Status & KubeObject =>
  ({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 }) as unknown as Status & KubeObject;

export function bindPod(writing: Writing, { namespace, name }: Omit<Place, "resource">, body: unknown): KubeObject {
  const { metadata, target } = (body ?? {}) as BindingBody;
  if (metadata?.name !== undefined && metadata.name !== name)
    throw badRequest("name in URL does not match name in Binding object");
  const before = writing.transaction.get("pods", keyOf(namespace, name)) as Pod | undefined;
  if (!before) throw notFound(Pods, name);
  checkTarget(before, target);
  const refuse = (why: string) => conflict({ group: "", plural: "pods/binding" }, name, why);
  if (before.metadata.deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (before.spec.nodeName) throw refuse(`pod ${name} is already assigned to node "${before.spec.nodeName}"`);
  if (before.spec.schedulingGates?.length) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);

  const pod = clone(before);
  pod.spec.nodeName = target?.name;
  if (metadata?.uid) pod.metadata.uid = metadata.uid;
  if (metadata?.resourceVersion) pod.metadata.resourceVersion = metadata.resourceVersion;
  if (metadata?.annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...metadata.annotations };
  if (metadata?.labels) pod.metadata.labels = { ...pod.metadata.labels, ...metadata.labels };
  const { nominatedNodeName: _, conditions = [], ...status } = pod.status ?? {};
  const now = timestamp(writing.parts.clock.now());
  const scheduled = { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: now };
  const others = conditions.filter(({ type }) => type !== "PodScheduled");
  pod.status = { ...status, conditions: [...others, scheduled] } as unknown as NonNullable<Pod["status"]>;
  replaceObject(writing, Pods, before, pod, { subresource: "binding" });
  return success();
}

function checkTarget(pod: Pod, target: BindingBody["target"]): void {
  const binding = { ...Pods, kind: "Binding" };
  if (target?.kind && target.kind !== "Node")
    mustBeValid(binding, pod, [
      {
        field: "target.kind",
        type: "FieldValueNotSupported",
        message: `Unsupported value: ${JSON.stringify(target.kind)}: supported values: "Node", "<empty>"`,
      },
    ]);
  if (!target?.name)
    mustBeValid(binding, pod, [{ field: "target.name", type: "FieldValueRequired", message: "Required value" }]);
}
