/** A pod's priority comes from its PriorityClass. Source: kubernetes plugin/pkg/admission/priority */
import { forbidden, type Pod, Pods, type PriorityClass, PriorityClasses, resourceName } from "@flotilla/objects";
import type { AdmissionStep } from "./request.ts";

export const setPriority: AdmissionStep = ({ transaction, operation, resource, subresource, object }) => {
  if (resourceName(resource) !== "pods" || operation !== "CREATE" || subresource) return;
  const { spec, metadata } = object as Pod;
  let chosen: PriorityClass | undefined;
  if (spec.priorityClassName) {
    chosen = transaction.get(resourceName(PriorityClasses), spec.priorityClassName) as PriorityClass | undefined;
    if (!chosen) throw forbidden(Pods, metadata.name, `no PriorityClass with name ${spec.priorityClassName} was found`);
  } else {
    const defaults = (transaction.list(resourceName(PriorityClasses)) as PriorityClass[]).filter(
      (each) => each.globalDefault,
    );
    chosen = defaults.toSorted((a, b) => a.value - b.value)[0];
    if (chosen) spec.priorityClassName = chosen.metadata.name;
  }
  const value = chosen?.value ?? 0;
  if (spec.priority !== undefined && spec.priority !== null && spec.priority !== value)
    throw forbidden(
      Pods,
      metadata.name,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  spec.priority = value;
  spec.preemptionPolicy ??= chosen?.preemptionPolicy ?? "PreemptLowerPriority";
};
