/** Who asks: by bearer token, or as somebody else where that is allowed. */
import type { IncomingMessage } from "node:http";
import { badRequest, unauthorized } from "@flotilla/objects";
import type { UserInfo } from "../registry.ts";
import { mustBeAllowed } from "./authorization.ts";
import type { Serving } from "./serving.ts";

export const anonymous: UserInfo = { username: "system:anonymous", groups: ["system:unauthenticated"] };

/** Throws Unauthorized without a known token, and Forbidden for who may not act as the one that the request names. */
export function authenticated(serving: Serving, request: IncomingMessage): UserInfo {
  const token = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? "")?.[1];
  const user = token === undefined ? undefined : serving.authenticate(token);
  if (!user) throw unauthorized("Unauthorized");
  return impersonated(serving, request, withGroup(user));
}

const withGroup = (user: UserInfo): UserInfo =>
  user.groups.includes("system:authenticated") ? user : { ...user, groups: [...user.groups, "system:authenticated"] };

// Source: apiserver pkg/endpoints/filters/impersonation.go.
function impersonated(serving: Serving, { headersDistinct }: IncomingMessage, user: UserInfo): UserInfo {
  const username = headersDistinct["impersonate-user"]?.[0];
  const groups = headersDistinct["impersonate-group"] ?? [];
  const uid = headersDistinct["impersonate-uid"]?.[0];
  const hasMore = Object.keys(headersDistinct).some((name) => name.startsWith("impersonate-extra-"));
  if (!username) {
    if (groups.length > 0 || uid || hasMore)
      throw badRequest("impersonation needs a user: set the header Impersonate-User");
    return user;
  }
  const act = (resource: string, name: string, group = "") =>
    mustBeAllowed(serving, user, { verb: "impersonate", group, resource, name });
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username);
  if (account)
    mustBeAllowed(serving, user, {
      verb: "impersonate",
      group: "",
      resource: "serviceaccounts",
      namespace: account[1],
      name: account[2],
    });
  else act("users", username);
  for (const group of groups) act("groups", group);
  if (uid) act("uids", uid, "authentication.k8s.io");
  const own = account ? ["system:serviceaccounts", `system:serviceaccounts:${account[1]}`] : [];
  return withGroup({ username, groups: groups.length > 0 ? groups : own, ...(uid && { uid }) });
}
