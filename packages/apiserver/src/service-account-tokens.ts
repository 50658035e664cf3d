/**
 * Tokens of ServiceAccounts: signed, with an end, good for as long as their account exists. Claims as Kubernetes' own.
 * Sources: RFC 7515 (JWS, ES256), RFC 7519; kubernetes pkg/serviceaccount/claims.go.
 */
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import type { Clock } from "@flotilla/ambient";
import { isNotFound, ServiceAccounts } from "@flotilla/objects";
import type { TokenIssuer } from "./registry/parts.ts";
import type { Registry, UserInfo } from "./registry.ts";

const issuer = "https://kubernetes.default.svc.cluster.local";
/** Who a token is for when nobody is named: the API server itself. */
const ownAudience = issuer;

interface Claims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: readonly string[];
  /** Seconds since the epoch. */
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number;
  readonly "kubernetes.io": {
    readonly namespace: string;
    readonly serviceaccount: { readonly name: string; readonly uid: string };
  };
}

export interface ServiceAccountTokens extends TokenIssuer {
  /** Whose token it is; undefined: it is not ours, has ended, is for somebody else, or its account is gone. */
  userOf(token: string, registry: Pick<Registry, "get">): UserInfo | undefined;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** `key`: a private key of the curve P-256, PEM. */
export function serviceAccountTokens(key: string, clock: Clock): ServiceAccountTokens {
  const privateKey = { key: createPrivateKey(key), dsaEncoding: "ieee-p1363" } as const;
  const publicKey = { key: createPublicKey(privateKey.key), dsaEncoding: "ieee-p1363" } as const;
  const header = encode({ alg: "ES256", typ: "JWT" });

  function claimsOf(token: string): Claims | undefined {
    const [head, body, signature, ...more] = token.split(".");
    if (head !== header || body === undefined || signature === undefined || more.length > 0) return undefined;
    const given = Buffer.from(signature, "base64url");
    if (!verify("sha256", Buffer.from(`${head}.${body}`), publicKey, given)) return undefined;
    return JSON.parse(Buffer.from(body, "base64url").toString("utf8")) as Claims;
  }

  return {
    issue({ serviceAccount: { namespace, name, uid }, audiences, expirationSeconds }) {
      const now = Math.floor(clock.now() / 1000);
      const exp = now + expirationSeconds;
      const claims: Claims = {
        iss: issuer,
        sub: `system:serviceaccount:${namespace}:${name}`,
        aud: audiences.length > 0 ? audiences : [ownAudience],
        exp,
        iat: now,
        nbf: now,
        "kubernetes.io": { namespace, serviceaccount: { name, uid } },
      };
      const text = `${header}.${encode(claims)}`;
      const signature = sign("sha256", Buffer.from(text), privateKey).toString("base64url");
      return {
        token: `${text}.${signature}`,
        expirationTimestamp: new Date(exp * 1000).toISOString().replace(/\.\d+Z$/, "Z"),
      };
    },

    userOf(token, registry) {
      const claims = claimsOf(token);
      if (!claims || claims.exp * 1000 <= clock.now() || !claims.aud.includes(ownAudience)) return undefined;
      const { namespace, serviceaccount } = claims["kubernetes.io"];
      try {
        const { uid } = registry.get(ServiceAccounts, { namespace, name: serviceaccount.name }).metadata;
        if (uid !== serviceaccount.uid) return undefined;
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
      return {
        username: claims.sub,
        uid: serviceaccount.uid,
        groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`],
      };
    },
  };
}
