/** Where a paged list goes on: the revision of its first page and the key to start at. Source: apiserver pkg/storage/continue.go */
import { badRequest } from "@flotilla/objects";

export interface Continuation {
  /** -1: at the newest state, after the older one was lost. */
  readonly revision: number;
  /** The last key that the client has. */
  readonly after: string;
}

export const encodeContinue = ({ revision, after }: Continuation): string =>
  Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${after}\0` })).toString("base64url");

export function decodeContinue(text: string): Continuation {
  let token: unknown;
  try {
    token = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch (error) {
    throw badRequest(`continue key is not valid: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof token !== "object" || token === null) throw badRequest("continue key is not valid");
  const { v, rv, start } = token as Record<string, unknown>;
  if (v !== "meta.k8s.io/v1")
    throw badRequest(`continue key is not valid: server does not recognize this encoded version ${String(v)}`);
  if (typeof rv !== "number" || !Number.isSafeInteger(rv) || rv === 0)
    throw badRequest("continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (typeof start !== "string" || start === "")
    throw badRequest("continue key is not valid: encoded start key empty (version meta.k8s.io/v1)");
  return { revision: rv, after: start.replace(/\0$/, "") };
}
