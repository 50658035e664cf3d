/** Roles and their bindings. Source: kubernetes pkg/apis/rbac (v1/defaults.go, validation) */
import {
  type ClusterRole,
  type ClusterRoleBinding,
  deepEqual,
  dns1123Subdomain,
  type FieldError,
  invalidValue,
  notSupported,
  type PolicyRule,
  type Role,
  type RoleBinding,
  required,
  type Subject,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { pathSegmentName } from "../../registry/metadata.ts";
import { flat, named, oneOf, requiredName, selectorMistakes } from "../mistakes.ts";

const rbacGroup = "rbac.authorization.k8s.io";

function defaultBinding({ roleRef, subjects }: RoleBinding | ClusterRoleBinding): void {
  if (roleRef) roleRef.apiGroup ||= rbacGroup;
  for (const subject of subjects ?? [])
    if (!subject.apiGroup && (subject.kind === "User" || subject.kind === "Group")) subject.apiGroup = rbacGroup;
}

function ruleMistakes(path: string, rule: PolicyRule, namespaced: boolean): FieldError[] {
  const { verbs, apiGroups, resources, nonResourceURLs } = rule;
  const mistakes = verbs?.length ? [] : [required(`${path}.verbs`, "verbs must contain at least one value")];
  if (nonResourceURLs?.length) {
    const refuse = (why: string) => mistakes.push(invalidValue(`${path}.nonResourceURLs`, nonResourceURLs, why));
    if (namespaced) refuse("namespaced rules cannot apply to non-resource URLs");
    if (apiGroups?.length || resources?.length || rule.resourceNames?.length)
      refuse("rules cannot apply to both regular resources and non-resource URLs");
    return mistakes;
  }
  if (!apiGroups?.length)
    mistakes.push(required(`${path}.apiGroups`, "resource rules must supply at least one api group"));
  if (!resources?.length)
    mistakes.push(required(`${path}.resources`, "resource rules must supply at least one resource"));
  return mistakes;
}

function subjectMistakes(path: string, { kind = "", name, namespace, apiGroup = "" }: Subject, namespaced: boolean) {
  const mistakes = name ? [] : [required(`${path}.name`)];
  const group = kind === "ServiceAccount" ? "" : rbacGroup;
  if (!["ServiceAccount", "User", "Group"].includes(kind))
    return [...mistakes, ...oneOf(`${path}.kind`, kind, ["ServiceAccount", "User", "Group"])];
  if (apiGroup !== group) mistakes.push(notSupported(`${path}.apiGroup`, apiGroup, [group]));
  if (kind !== "ServiceAccount") return mistakes;
  if (name) mistakes.push(...named(`${path}.name`, name, dns1123Subdomain));
  if (!namespace && !namespaced) mistakes.push(required(`${path}.namespace`));
  return mistakes;
}

function bindingMistakes({ roleRef, subjects }: RoleBinding | ClusterRoleBinding, kinds: string[]): FieldError[] {
  const { apiGroup = rbacGroup, kind = "", name } = roleRef ?? {};
  return [
    ...oneOf("roleRef.apiGroup", apiGroup, [rbacGroup]),
    ...oneOf("roleRef.kind", kind, kinds),
    ...requiredName("roleRef.name", name, pathSegmentName),
    ...flat(subjects, (subject, i) => subjectMistakes(`subjects[${i}]`, subject, kinds.includes("Role"))),
  ];
}

const roleMistakes = (now: RoleBinding | ClusterRoleBinding, before: RoleBinding | ClusterRoleBinding) =>
  deepEqual(now.roleRef, before.roleRef) ? [] : [invalidValue("roleRef", now.roleRef, "cannot change roleRef")];

export const roles: KindRules<Role> = {
  validate: ({ rules }) => flat(rules, (rule, i) => ruleMistakes(`rules[${i}]`, rule, true)),
};

export const clusterRoles: KindRules<ClusterRole> = {
  validate({ rules, aggregationRule }) {
    const mistakes = flat(rules, (rule, i) => ruleMistakes(`rules[${i}]`, rule, false));
    if (!aggregationRule) return mistakes;
    const path = "aggregationRule.clusterRoleSelectors";
    const { clusterRoleSelectors: selectors } = aggregationRule;
    if (!selectors?.length)
      mistakes.push(required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil"));
    return [...mistakes, ...flat(selectors, (selector, i) => selectorMistakes(`${path}[${i}]`, selector))];
  },
};

export const roleBindings: KindRules<RoleBinding> = {
  defaults: defaultBinding,
  validate: (binding) => bindingMistakes(binding, ["Role", "ClusterRole"]),
  validateUpdate: roleMistakes,
};

export const clusterRoleBindings: KindRules<ClusterRoleBinding> = {
  defaults: defaultBinding,
  validate: (binding) => bindingMistakes(binding, ["ClusterRole"]),
  validateUpdate: roleMistakes,
};
