/** What a claim asks for: of its own, in a StatefulSet, in a pod. Source: kubernetes pkg/apis/core/validation */
import {
  compareQuantities,
  dns1123Subdomain,
  type FieldError,
  forbiddenField,
  invalidValue,
  type PersistentVolumeClaimSpec,
  parseQuantity,
  type Quantity,
  required,
} from "@flotilla/objects";
import { flat, named, oneOf, selectorMistakes } from "../mistakes.ts";

export const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
export const volumeModes = ["Block", "Filesystem"];

export function accessModeMistakes(path: string, modes: readonly string[] | undefined): FieldError[] {
  if (!modes?.length) return [required(path, "at least 1 access mode is required")];
  const mistakes = flat(modes, (mode) => oneOf(path, mode, accessModes));
  const known = modes.filter((mode) => accessModes.includes(mode));
  if (known.includes("ReadWriteOncePod") && known.some((mode) => mode !== "ReadWriteOncePod"))
    mistakes.push(forbiddenField(path, "may not use ReadWriteOncePod with other access modes"));
  return mistakes;
}

export function positiveAmount(path: string, amount: Quantity): FieldError[] {
  return compareQuantities(amount, "0") > 0 ? [] : [invalidValue(path, String(amount), "must be greater than zero")];
}

export const isWhole = (amount: Quantity) => parseQuantity(amount).nano % 1_000_000_000n === 0n;

export function claimSpecMistakes(path: string, spec: PersistentVolumeClaimSpec): FieldError[] {
  const mistakes = [
    ...accessModeMistakes(`${path}.accessModes`, spec.accessModes),
    ...selectorMistakes(`${path}.selector`, spec.selector),
    ...oneOf(`${path}.volumeMode`, spec.volumeMode, volumeModes),
  ];
  const storage = spec.resources?.requests?.storage;
  if (storage === undefined) mistakes.push(required(`${path}.resources[storage]`));
  else mistakes.push(...positiveAmount(`${path}.resources[storage]`, storage));
  if (spec.storageClassName)
    mistakes.push(...named(`${path}.storageClassName`, spec.storageClassName, dns1123Subdomain));
  for (const kind of ["dataSource", "dataSourceRef"] as const) {
    const source = spec[kind];
    if (!source) continue;
    if (!source.name) mistakes.push(required(`${path}.${kind}.name`));
    if (!source.kind) mistakes.push(required(`${path}.${kind}.kind`));
    if (!source.apiGroup && source.kind !== "PersistentVolumeClaim")
      mistakes.push(
        invalidValue(
          `${path}.${kind}`,
          source.kind ?? "",
          "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
        ),
      );
  }
  return mistakes;
}
