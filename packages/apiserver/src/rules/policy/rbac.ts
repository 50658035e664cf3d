/** Roles and their bindings. Source: kubernetes pkg/apis/rbac (v1/defaults.go, validation) */
import type { ClusterRoleBinding, RoleBinding } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";

const GROUP = "rbac.authorization.k8s.io";

function defaultBinding({ roleRef, subjects }: RoleBinding | ClusterRoleBinding): void {
  if (roleRef) roleRef.apiGroup ||= GROUP;
  for (const subject of subjects ?? [])
    if (!subject.apiGroup && (subject.kind === "User" || subject.kind === "Group")) subject.apiGroup = GROUP;
}

export const roleBindings: KindRules<RoleBinding> = { defaults: defaultBinding };
export const clusterRoleBindings: KindRules<ClusterRoleBinding> = { defaults: defaultBinding };
