/** CustomResourceDefinitions and APIServices. Source: apiextensions-apiserver pkg/apis/apiextensions, kube-aggregator pkg/apis/apiregistration */
import type { APIService, CustomResourceDefinition } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";

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
};

export const apiServices: KindRules<APIService> = {
  defaults({ spec }) {
    if (spec?.service) spec.service.port ??= 443;
  },
};
