/** The account of a program and, where it may do something in its namespace, the role. */
import { type KubeObject, newObject, RoleBindings, Roles, ServiceAccounts } from "@flotilla/objects";
import type { Program } from "../model/service.ts";
import { type Expansion, metadataOf, type Part } from "./context.ts";

export function identityOf(expansion: Expansion, part: Part, program: Program): KubeObject[] {
  const { identity } = program;
  const metadata = metadataOf(expansion, part);
  const account = identity?.serviceAccount ?? part.name;
  const objects: KubeObject[] = [];
  if (identity?.serviceAccount === undefined) {
    const annotations = { ...metadata.annotations, ...identity?.annotations };
    objects.push(
      newObject(ServiceAccounts, {
        metadata: { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
        automountServiceAccountToken: false,
      }),
    );
  }
  if (!identity?.rules?.length) return objects;
  return [
    ...objects,
    newObject(Roles, { metadata, rules: [...identity.rules] }),
    newObject(RoleBindings, {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: part.name },
      subjects: [{ kind: "ServiceAccount", name: account, namespace: expansion.namespace }],
    }),
  ];
}
