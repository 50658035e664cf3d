/** CustomResourceDefinitions and APIServices. Source: apiextensions-apiserver pkg/apis/apiextensions, kube-aggregator pkg/apis/apiregistration */
import {
  type APIService,
  type CustomResourceDefinition,
  type CustomResourceDefinitionNames,
  dns1035Label,
  dns1123Subdomain,
  type FieldError,
  invalidValue,
  required,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";
import { flat, immutable, named, oneOf, requiredName } from "../mistakes.ts";

export const customResourceDefinitions: KindRules<CustomResourceDefinition> = {
  defaults(definition) {
    const { names } = definition.spec;
    fill(names, { singular: names.kind?.toLowerCase(), listKind: names.kind && `${names.kind}List` });
    definition.spec.conversion ??= { strategy: "None" };
    const { service } = definition.spec.conversion.webhook?.clientConfig ?? {};
    if (service) service.port ??= 443;
    if (definition.status?.storedVersions?.length) return;
    const stored = definition.spec.versions?.find(({ storage }) => storage);
    if (stored) definition.status = { ...definition.status, storedVersions: [stored.name] };
  },
  validate: definitionMistakes,
  validateUpdate: ({ spec }, before) => [
    ...(spec.scope === before.spec.scope ? [] : [immutable("spec.scope", spec.scope)]),
    ...(spec.names.kind === before.spec.names.kind ? [] : [immutable("spec.names.kind", spec.names.kind)]),
  ],
};

function nameMistakes(path: string, names: CustomResourceDefinitionNames): FieldError[] {
  const mistakes: FieldError[] = [];
  for (const field of ["plural", "singular"] as const)
    mistakes.push(...requiredName(`${path}.${field}`, names[field], dns1035Label));
  for (const field of ["kind", "listKind"] as const) {
    const name = names[field];
    if (!name) mistakes.push(required(`${path}.${field}`));
    for (const wrong of name ? dns1035Label(name.toLowerCase()) : [])
      mistakes.push(
        invalidValue(`${path}.${field}`, name, `may have mixed case, but should otherwise match: ${wrong}`),
      );
  }
  if (names.kind && names.kind === names.listKind)
    mistakes.push(invalidValue(`${path}.listKind`, names.listKind, "kind and listKind may not be the same"));
  for (const field of ["shortNames", "categories"] as const)
    mistakes.push(...flat(names[field], (name, i) => named(`${path}.${field}[${i}]`, name, dns1035Label)));
  return mistakes;
}

function definitionMistakes({ metadata, spec, status }: CustomResourceDefinition): FieldError[] {
  const { group, scope, names, versions } = spec;
  const mistakes = [
    ...requiredName("spec.group", group, dns1123Subdomain),
    ...(scope ? oneOf("spec.scope", scope, ["Cluster", "Namespaced"]) : [required("spec.scope")]),
    ...nameMistakes("spec.names", names ?? {}),
  ];
  if (metadata.name !== `${names?.plural ?? ""}.${group ?? ""}`)
    mistakes.push(invalidValue("metadata.name", metadata.name, 'must be spec.names.plural+"."+spec.group'));
  if (group && group.split(".").length < 2)
    mistakes.push(invalidValue("spec.group", group, "should be a domain with at least one dot"));
  const seen = new Set<string>();
  versions?.forEach(({ name, schema }, i) => {
    const at = `spec.versions[${i}]`;
    mistakes.push(...named(`${at}.name`, name ?? "", dns1035Label));
    if (seen.has(name)) mistakes.push(invalidValue("spec.versions", versions, "must contain unique version names"));
    seen.add(name);
    if (!schema?.openAPIV3Schema) mistakes.push(required(`${at}.schema.openAPIV3Schema`));
  });
  const stored = (versions ?? []).filter(({ storage }) => storage);
  if (stored.length !== 1)
    mistakes.push(
      invalidValue("spec.versions", versions ?? null, "must have exactly one version marked as storage version"),
    );
  const storedVersions = status?.storedVersions;
  const last = stored.at(-1)?.name;
  if (!storedVersions?.length)
    mistakes.push(invalidValue("status.storedVersions", null, "must have at least one stored version"));
  else if (last !== undefined && !storedVersions.includes(last))
    mistakes.push(invalidValue("status.storedVersions", storedVersions, `must have the storage version ${last}`));
  return mistakes;
}

export const apiServices: KindRules<APIService> = {
  defaults({ spec }) {
    if (spec?.service) spec.service.port ??= 443;
  },
};
