/** ResourceQuotas. Source: kubernetes pkg/apis/core/validation */
import { deepEqual, type FieldError, invalidValue, qualifiedName, type ResourceQuota } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { immutable } from "../mistakes.ts";
import { amountMistakes, counted } from "../pod/resources.ts";

const compute = new Set(["cpu", "memory", "ephemeral-storage", "storage"]);

const isKnown = (name: string): boolean => {
  const part = name.replace(/^(requests|limits)\./, "");
  return counted.has(name) || compute.has(part) || part.startsWith("hugepages-") || name.includes("/");
};

function hardMistakes(path: string, name: string): FieldError[] {
  const wrong = qualifiedName(name).map((each) => invalidValue(path, name, each));
  if (isKnown(name)) return wrong;
  const refuse = (what: string) => invalidValue(path, name, `must be a standard resource ${what}`);
  return [...wrong, ...(wrong.length > 0 ? [] : [refuse("type or fully qualified")]), refuse("for quota")];
}

const scopes = new Set([
  "Terminating",
  "NotTerminating",
  "BestEffort",
  "NotBestEffort",
  "PriorityClass",
  "CrossNamespacePodAffinity",
  "VolumeAttributesClass",
]);
const opposites = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;

export const resourceQuotas: KindRules<ResourceQuota> = {
  validate({ spec }) {
    const mistakes = Object.entries(spec?.hard ?? {}).flatMap(([name, amount]) => {
      const path = `spec.hard[${name}]`;
      return [...hardMistakes(path, name), ...amountMistakes(path, name, amount)];
    });
    const said: readonly string[] = spec?.scopes ?? [];
    const refuse = (why: string) => mistakes.push(invalidValue("spec.scopes", said, why));
    for (const scope of said) if (!scopes.has(scope)) refuse("unsupported scope");
    const onlyPods = said.includes("BestEffort") && Object.keys(spec?.hard ?? {}).some((name) => name !== "pods");
    if (onlyPods) refuse("unsupported scope applied to resource");
    for (const [one, other] of opposites) if (said.includes(one) && said.includes(other)) refuse("conflicting scopes");
    return mistakes;
  },
  validateUpdate: ({ spec }, before) =>
    deepEqual([...(spec?.scopes ?? [])].sort(), [...(before.spec?.scopes ?? [])].sort())
      ? []
      : [immutable("spec.scopes", spec?.scopes ?? [])],
};
