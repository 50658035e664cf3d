/** StorageClasses and CSI drivers. Source: kubernetes pkg/apis/storage (v1/defaults.go, validation) */
import type { CSIDriver, StorageClass } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";

export const storageClasses: KindRules<StorageClass> = {
  defaults: (storageClass) => fill(storageClass, { reclaimPolicy: "Delete", volumeBindingMode: "Immediate" }),
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
