/** Who may do what until RBAC is complete: masters everything, others nothing but reviews of themselves. */
import { forbidden } from "@flotilla/objects";
import type { UserInfo } from "../registry.ts";
import type { Attributes, Serving } from "./serving.ts";

export const mastersGroup = "system:masters";

const selfReviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"];

export function mastersOnly(user: UserInfo, { verb, group, resource }: Attributes): boolean {
  if (user.groups.includes(mastersGroup)) return true;
  const isReviewGroup = group === "authorization.k8s.io" || group === "authentication.k8s.io";
  return verb === "create" && isReviewGroup && resource !== undefined && selfReviews.includes(resource);
}

/** Throws Forbidden with Kubernetes' message. Source: apiserver pkg/endpoints/handlers/responsewriters/errors.go. */
export function mustBeAllowed(serving: Serving, user: UserInfo, attributes: Attributes): void {
  if (serving.authorize(user, attributes)) return;
  const { verb, group = "", resource, subresource, namespace, name = "", path } = attributes;
  const who = `User ${JSON.stringify(user.username)} cannot ${verb}`;
  if (resource === undefined) throw forbidden(undefined, "", `${who} path ${JSON.stringify(path)}`);
  const what = JSON.stringify(subresource ? `${resource}/${subresource}` : resource);
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : "at the cluster scope";
  throw forbidden(
    { group, plural: resource },
    name,
    `${who} resource ${what} in API group ${JSON.stringify(group)} ${where}`,
  );
}
