/** StorageClasses and CSI drivers. Source: kubernetes pkg/apis/storage (v1/defaults.go, validation) */
import {
  type CSIDriver,
  deepEqual,
  forbiddenField,
  invalidValue,
  qualifiedName,
  type StorageClass,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";
import { immutable, oneOf, requiredName } from "../mistakes.ts";

export const storageClasses: KindRules<StorageClass> = {
  defaults: (storageClass) => fill(storageClass, { reclaimPolicy: "Delete", volumeBindingMode: "Immediate" }),
  validate: ({ provisioner, parameters, reclaimPolicy, volumeBindingMode }) => [
    ...requiredName("provisioner", provisioner?.toLowerCase(), qualifiedName),
    ...Object.keys(parameters ?? {})
      .filter((key) => key === "")
      .map((key) => invalidValue("parameters", key, "field can not be empty.")),
    ...oneOf("reclaimPolicy", reclaimPolicy, ["Delete", "Retain"]),
    ...oneOf("volumeBindingMode", volumeBindingMode, ["Immediate", "WaitForFirstConsumer"]),
  ],
  validateUpdate: (now, before) => [
    ...(["parameters", "provisioner", "reclaimPolicy"] as const)
      .filter((field) => !deepEqual(now[field], before[field]))
      .map((field) => forbiddenField(field, `updates to ${field} are forbidden.`)),
    ...(now.volumeBindingMode === before.volumeBindingMode
      ? []
      : [immutable("volumeBindingMode", now.volumeBindingMode)]),
  ],
};

export const csiDrivers: KindRules<CSIDriver> = {
  defaults({ spec }) {
    fill(spec, {
      attachRequired: true,
      podInfoOnMount: false,
      storageCapacity: false,
      fsGroupPolicy: "ReadWriteOnceWithFSType",
      requiresRepublish: false,
      seLinuxMount: false,
    });
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ["Persistent"];
  },
};
