/** Resources that can only be created: the object asks a question, the answer is its status. Nothing is stored. */
import { badRequest, isRecord, type KubeObject, type Resource } from "@flotilla/objects";
import type { UserInfo } from "../registry.ts";
import { negotiate } from "./accept.ts";
import { answer } from "./answer.ts";
import { mastersGroup } from "./authorization.ts";
import { readObject } from "./body.ts";
import { checkedObject } from "./object-check.ts";
import { requestContext } from "./options.ts";
import type { ResourcePath } from "./resource-path.ts";
import type { Attributes, Exchange, Serving } from "./serving.ts";

type Spec = Readonly<Record<string, unknown>>;
type Review = (serving: Serving, user: UserInfo, spec: Spec, namespace: string | undefined) => object;

const reviews: Readonly<Record<string, Review>> = {
  selfsubjectreviews: (_serving, user) => ({ userInfo: userInfo(user) }),
  tokenreviews: reviewToken,
  selfsubjectaccessreviews: (serving, user, spec) => verdict(serving, user, spec),
  subjectaccessreviews: (serving, _user, spec) => verdict(serving, subjectOf(spec), spec),
  localsubjectaccessreviews(serving, _user, spec, namespace) {
    const { resourceAttributes } = spec;
    if (isRecord(resourceAttributes) && resourceAttributes.namespace !== namespace)
      throw badRequest("spec.resourceAttributes.namespace must match the namespace of the request");
    return verdict(serving, subjectOf(spec), spec);
  },
  selfsubjectrulesreviews: (_serving, user) => rulesOf(user),
};

export const isReview = ({ group, plural }: Resource): boolean =>
  (group === "authentication.k8s.io" || group === "authorization.k8s.io") && plural in reviews;

export async function serveReview(
  serving: Serving,
  exchange: Exchange,
  resource: Resource,
  path: ResourcePath,
): Promise<void> {
  const form = negotiate(exchange.request);
  const body = await readObject(exchange.request, requestContext(exchange));
  const review = checkedObject(resource, path, body ?? {}) as KubeObject & { spec?: unknown };
  const spec = isRecord(review.spec) ? review.spec : {};
  const status = reviews[resource.plural]?.(serving, exchange.user, spec, path.namespace);
  const { creationTimestamp = null, ...metadata } = review.metadata;
  await answer(exchange, 201, { ...review, metadata: { ...metadata, creationTimestamp }, status }, form.encoding);
}

const userInfo = ({ username, uid, groups }: UserInfo): object => ({ username, ...(uid && { uid }), groups });

function reviewToken(serving: Serving, _user: UserInfo, spec: Spec): object {
  const user = typeof spec.token === "string" && spec.token ? serving.authenticate(spec.token) : undefined;
  return user ? { authenticated: true, user: userInfo(user) } : { authenticated: false, error: "invalid bearer token" };
}

function subjectOf({ user, groups, uid }: Spec): UserInfo {
  const names = Array.isArray(groups) ? groups.filter((group) => typeof group === "string") : [];
  if (!user && names.length === 0) throw badRequest("spec.user: at least one of user or groups must be specified");
  return { username: String(user ?? ""), groups: names, ...(typeof uid === "string" && { uid }) };
}

function verdict(serving: Serving, user: UserInfo, spec: Spec): object {
  const attributes = attributesOf(spec);
  const allowed = serving.authorize(user, attributes);
  return allowed ? { allowed } : { allowed, reason: "" };
}

function attributesOf({ resourceAttributes, nonResourceAttributes }: Spec): Attributes {
  if (isRecord(resourceAttributes) === isRecord(nonResourceAttributes))
    throw badRequest("spec: exactly one of nonResourceAttributes or resourceAttributes must be specified");
  const text = (from: unknown, field: string): string | undefined => {
    const value = isRecord(from) ? from[field] : undefined;
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  if (isRecord(nonResourceAttributes))
    return { verb: text(nonResourceAttributes, "verb") ?? "", path: text(nonResourceAttributes, "path") };
  return {
    verb: text(resourceAttributes, "verb") ?? "",
    group: text(resourceAttributes, "group") ?? "",
    version: text(resourceAttributes, "version"),
    resource: text(resourceAttributes, "resource"),
    subresource: text(resourceAttributes, "subresource"),
    namespace: text(resourceAttributes, "namespace"),
    name: text(resourceAttributes, "name"),
  };
}

const selfReviewRules = [
  {
    verbs: ["create"],
    apiGroups: ["authorization.k8s.io"],
    resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
  },
  { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"] },
];

function rulesOf(user: UserInfo): object {
  if (!user.groups.includes(mastersGroup))
    return { resourceRules: selfReviewRules, nonResourceRules: [], incomplete: false };
  return {
    resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
    nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
    incomplete: false,
  };
}
