/** Rows of volumes, claims, classes and CSI kinds. Source: kubernetes pkg/printers/internalversion. */
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
  VolumeAttachment,
} from "@flotilla/objects";
import { ageColumn, integer, type Printer, printer, text, wide, yesNo } from "./printer.ts";

const modeNames: readonly (readonly [mode: string, short: string])[] = [
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"],
];

const accessModes = (modes: readonly string[] = []): string =>
  modeNames.flatMap(([mode, short]) => (modes.includes(mode) ? [short] : [])).join(",");

const legacyClass = "volume.beta.kubernetes.io/storage-class";

export const persistentVolumePrinter: Printer<PersistentVolume> = printer(
  text("Capacity", ({ spec }) => String(spec.capacity?.storage ?? "0")),
  text("Access Modes", ({ spec }) => accessModes(spec.accessModes)),
  text("Reclaim Policy", ({ spec }) => spec.persistentVolumeReclaimPolicy ?? ""),
  text("Status", ({ metadata, status }) => (metadata.deletionTimestamp ? "Terminating" : (status?.phase ?? ""))),
  text("Claim", ({ spec }) => (spec.claimRef ? `${spec.claimRef.namespace}/${spec.claimRef.name}` : "")),
  text("StorageClass", ({ metadata, spec }) => metadata.annotations?.[legacyClass] ?? spec.storageClassName ?? ""),
  text("VolumeAttributesClass", ({ spec }) => spec.volumeAttributesClassName ?? "<unset>"),
  text("Reason", ({ status }) => status?.reason ?? ""),
  ageColumn,
  wide("VolumeMode", ({ spec }) => spec.volumeMode ?? "<unset>"),
);

export const persistentVolumeClaimPrinter: Printer<PersistentVolumeClaim> = printer(
  text("Status", ({ metadata, status }) => (metadata.deletionTimestamp ? "Terminating" : (status?.phase ?? ""))),
  text("Volume", ({ spec }) => spec.volumeName ?? ""),
  text("Capacity", ({ spec, status }) => (spec.volumeName ? String(status?.capacity?.storage ?? "0") : "")),
  text("Access Modes", ({ spec, status }) => (spec.volumeName ? accessModes(status?.accessModes) : "")),
  text("StorageClass", ({ metadata, spec }) => metadata.annotations?.[legacyClass] ?? spec.storageClassName ?? ""),
  text("VolumeAttributesClass", ({ spec }) => spec.volumeAttributesClassName ?? "<unset>"),
  ageColumn,
  wide("VolumeMode", ({ spec }) => spec.volumeMode ?? "<unset>"),
);

const defaultClass = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

export const storageClassPrinter: Printer<StorageClass> = {
  columns: [
    {
      name: "Name",
      type: "string",
      format: "name",
      priority: 0,
      cell: ({ metadata }) => {
        const isDefault = defaultClass.some((key) => metadata.annotations?.[key] === "true");
        return isDefault ? `${metadata.name} (default)` : metadata.name;
      },
    },
    text("Provisioner", ({ provisioner }) => provisioner),
    text("ReclaimPolicy", ({ reclaimPolicy }) => reclaimPolicy ?? "Delete"),
    text("VolumeBindingMode", ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate"),
    text("AllowVolumeExpansion", ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false),
    ageColumn,
  ],
};

export const volumeAttachmentPrinter: Printer<VolumeAttachment> = printer(
  text("Attacher", ({ spec }) => spec.attacher),
  text("PV", ({ spec }) => spec.source.persistentVolumeName ?? ""),
  text("Node", ({ spec }) => spec.nodeName),
  yesNo("Attached", ({ status }) => status?.attached ?? false),
  ageColumn,
);

export const csiNodePrinter: Printer<CSINode> = printer(
  integer("Drivers", ({ spec }) => (spec.drivers ?? []).length),
  ageColumn,
);

export const csiDriverPrinter: Printer<CSIDriver> = printer(
  yesNo("AttachRequired", ({ spec }) => spec.attachRequired ?? true),
  yesNo("PodInfoOnMount", ({ spec }) => spec.podInfoOnMount ?? false),
  yesNo("StorageCapacity", ({ spec }) => spec.storageCapacity ?? false),
  text("TokenRequests", ({ spec }) => spec.tokenRequests?.map(({ audience }) => audience).join(",") ?? "<unset>"),
  yesNo("RequiresRepublish", ({ spec }) => spec.requiresRepublish ?? false),
  text("Modes", ({ spec }) => (spec.volumeLifecycleModes ?? []).join(",") || "<none>"),
  ageColumn,
);

export const csiStorageCapacityPrinter: Printer<CSIStorageCapacity> = printer(
  text("StorageClassName", ({ storageClassName }) => storageClassName),
  text("Capacity", ({ capacity }) => String(capacity ?? "<unset>")),
);
