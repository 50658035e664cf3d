/** serviceaccounts/token: a TokenRequest is answered with a token from the issuer. Source: kubernetes pkg/registry/core/serviceaccount/storage/token.go */
import { badRequest, type KubeObject, notFound, ServiceAccounts, serviceUnavailable } from "@flotilla/objects";
import { mustBeValid } from "../checking.ts";
import { keyOf, type Parts, type Place, timestamp } from "../parts.ts";

interface TokenBody extends Partial<KubeObject> {
  spec?: { audiences?: string[]; expirationSeconds?: number; boundObjectRef?: unknown };
}

/** Seconds. Source: kubernetes pkg/apis/authentication/validation, pkg/apis/authentication/v1/defaults.go */
const defaultExpiration = 3600;
const shortest = 600;
const longest = 2 ** 32;

export async function requestToken(
  parts: Parts,
  { namespace, name }: Omit<Place, "resource">,
  body: unknown,
): Promise<KubeObject> {
  const account = parts.store.get("serviceaccounts", keyOf(namespace, name));
  if (!account) throw notFound(ServiceAccounts, name);
  if (typeof body !== "object" || body === null) throw badRequest("the body must be a TokenRequest");
  const { spec = {}, metadata } = body as TokenBody;
  if (metadata?.name && metadata.name !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  const expirationSeconds = spec.expirationSeconds ?? defaultExpiration;
  const refuse = (message: string) =>
    mustBeValid({ ...ServiceAccounts, group: "authentication.k8s.io", kind: "TokenRequest" }, account, [
      {
        field: "spec.expirationSeconds",
        type: "FieldValueInvalid",
        message: `Invalid value: ${expirationSeconds}: ${message}`,
      },
    ]);
  if (expirationSeconds < shortest) refuse("may not specify a duration less than 10 minutes");
  if (expirationSeconds > longest) refuse("may not specify a duration larger than 2^32 seconds");
  if (!parts.tokens) throw serviceUnavailable("this control plane issues no tokens");
  const issued = await parts.tokens.issue({
    serviceAccount: { namespace: namespace ?? "", name, uid: account.metadata.uid ?? "" },
    audiences: spec.audiences ?? [],
    expirationSeconds,
  });
  const answer = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    metadata: { name, namespace, creationTimestamp: timestamp(parts.clock.now()) },
    spec: { ...spec, expirationSeconds },
    status: { token: issued.token, expirationTimestamp: issued.expirationTimestamp },
  };
  return answer;
}
