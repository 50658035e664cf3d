/** Environment variables and where their values come from. Source: kubernetes pkg/apis/core/validation */
import {
  configMapKey,
  dns1123Subdomain,
  type EnvFromSource,
  type EnvVar,
  type EnvVarSource,
  envVarName,
  type FieldError,
  invalidValue,
  notSupported,
  type ObjectFieldSelector,
  qualifiedName,
  type ResourceFieldSelector,
  required,
} from "@flotilla/objects";
import { flat, named, requiredName } from "../mistakes.ts";

const known = new Set([
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.restartPolicy",
  "spec.serviceAccountName",
  "spec.schedulerName",
  "status.phase",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
]);
const ofEnvironment = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
/** Of files, which can change while the pod runs. */
export const ofVolume = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];
const resources = ["cpu", "ephemeral-storage", "memory"];
const amounts = ["limits", "requests"].flatMap((part) => resources.map((name) => `${part}.${name}`));

export function fieldRefMistakes(
  path: string,
  { fieldPath = "" }: Partial<ObjectFieldSelector>,
  allowed: readonly string[] = ofEnvironment,
): FieldError[] {
  if (!fieldPath) return [required(`${path}.fieldPath`)];
  const [, field = fieldPath, subscript] = /^(.*)\['(.*)'\]$/.exec(fieldPath) ?? [];
  if (!known.has(field))
    return [
      invalidValue(
        `${path}.fieldPath`,
        fieldPath,
        `error converting fieldPath: field label not supported: ${subscript === undefined ? field : fieldPath}`,
      ),
    ];
  if (subscript !== undefined) {
    if (field === "metadata.labels") return named(path, subscript, qualifiedName);
    if (field === "metadata.annotations") return named(path, subscript.toLowerCase(), qualifiedName);
    return [invalidValue(path, field, "does not support subscript")];
  }
  return allowed.includes(field) ? [] : [notSupported(`${path}.fieldPath`, field, allowed)];
}

export function resourceRefMistakes(
  path: string,
  { containerName, resource = "" }: Partial<ResourceFieldSelector>,
  ofFile: boolean,
): FieldError[] {
  if (ofFile && !containerName) return [required(`${path}.containerName`)];
  if (!resource) return [required(`${path}.resource`)];
  if (amounts.includes(resource) || /^(limits|requests)\.hugepages-/.test(resource)) return [];
  return [notSupported(`${path}.resource`, resource, amounts)];
}

export const envMistakes = (path: string, env: readonly EnvVar[] | undefined): FieldError[] =>
  flat(env, ({ name, value, valueFrom }, i) => {
    const at = `${path}[${i}]`;
    return [
      ...requiredName(`${at}.name`, name, envVarName),
      ...(valueFrom ? sourceMistakes(`${at}.valueFrom`, valueFrom, value) : []),
    ];
  });

function sourceMistakes(path: string, source: EnvVarSource, value: string | undefined): FieldError[] {
  const mistakes: FieldError[] = [];
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  if (fieldRef) mistakes.push(...fieldRefMistakes(`${path}.fieldRef`, fieldRef));
  if (resourceFieldRef) mistakes.push(...resourceRefMistakes(`${path}.resourceFieldRef`, resourceFieldRef, false));
  for (const [kind, reference] of Object.entries({ configMapKeyRef, secretKeyRef })) {
    if (!reference) continue;
    const at = `${path}.${kind}`;
    mistakes.push(...named(`${at}.name`, reference.name ?? "", dns1123Subdomain));
    mistakes.push(...requiredName(`${at}.key`, reference.key, configMapKey));
  }
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (sources === 0)
    mistakes.push(
      invalidValue(
        path,
        "",
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
      ),
    );
  else if (value) mistakes.push(invalidValue(path, "", "may not be specified when `value` is not empty"));
  else if (sources > 1) mistakes.push(invalidValue(path, "", "may not have more than one field specified at a time"));
  return mistakes;
}

export const envFromMistakes = (path: string, sources: readonly EnvFromSource[] | undefined): FieldError[] =>
  flat(sources, ({ prefix, configMapRef, secretRef }, i) => {
    const at = `${path}[${i}]`;
    const mistakes = prefix ? named(`${at}.prefix`, prefix, envVarName) : [];
    if (configMapRef) mistakes.push(...requiredName(`${at}.configMapRef.name`, configMapRef.name, dns1123Subdomain));
    if (secretRef) mistakes.push(...requiredName(`${at}.secretRef.name`, secretRef.name, dns1123Subdomain));
    if (!configMapRef && !secretRef)
      mistakes.push(invalidValue(path, "", "must specify one of: `configMapRef` or `secretRef`"));
    else if (configMapRef && secretRef)
      mistakes.push(invalidValue(path, "", "may not have more than one field specified at a time"));
    return mistakes;
  });
