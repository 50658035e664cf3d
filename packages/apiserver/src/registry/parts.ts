/** What the verbs and the admission steps work with. */
import type { Clock, Random } from "@flotilla/ambient";
import { type KubeObject, type Resource, safeAlphabet, timeOf } from "@flotilla/objects";
import type { RequestContext } from "../registry.ts";
import type { Transaction } from "../store/staging.ts";
import type { Store } from "../store/store.ts";
import type { ServedResources } from "./served-resources.ts";

export interface IssuedToken {
  readonly token: string;
  /** RFC 3339. */
  readonly expirationTimestamp: string;
}

/** Makes tokens for ServiceAccounts; how they are signed and checked is its own business. */
export interface TokenIssuer {
  issue(request: {
    readonly serviceAccount: { readonly namespace: string; readonly name: string; readonly uid: string };
    /** Empty: the API server itself. */
    readonly audiences: readonly string[];
    readonly expirationSeconds: number;
  }): IssuedToken | Promise<IssuedToken>;
}

export interface Parts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly served: ServedResources;
  /** Addresses of Services, such as "10.96.0.0/16". */
  readonly serviceCIDR: string;
  /** The certificate authority (PEM) that every namespace finds in ConfigMap kube-root-ca.crt. */
  readonly certificateAuthority: string;
  readonly tokens: TokenIssuer | undefined;
}

/** One write in progress. */
export interface Writing {
  readonly parts: Parts;
  readonly transaction: Transaction;
  readonly context: RequestContext;
}

/** One place in the API: a resource and, unless something is about to be named, an object of it. */
export interface Place {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name: string;
}

/** The key of an object in the store. */
export const keyOf = (namespace: string | undefined, name: string): string =>
  namespace ? `${namespace}/${name}` : name;

export const keyOfObject = (object: KubeObject): string => keyOf(object.metadata.namespace, object.metadata.name);

/** RFC 3339 with whole seconds, as all times in metadata are. */
export const timestamp = (milliseconds: number): string => timeOf(new Date(milliseconds));

/** Five characters: what makes a generated name unique. Source: apiserver pkg/storage/names/generate.go */
export const randomSuffix = (random: Random): string =>
  Array.from({ length: 5 }, () => safeAlphabet[Math.floor(random.next() * safeAlphabet.length)]).join("");
