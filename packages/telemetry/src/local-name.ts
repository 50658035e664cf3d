/** Whether a request may have been meant for this machine, by the name that it is addressed to. */
import { isIP } from "node:net";

/**
 * `host`: of a Host header or :authority, with or without a port. A web page that has a name of its own point to this machine may
 * read what it asks of that name (DNS rebinding), but cannot hide the name: an address or a local name can only be somebody's
 * who chose it. `names`: others by which this machine may be addressed.
 */
export function isLocalName(host: string | undefined, names: readonly string[] = []): boolean {
  const name = /^(\[[^\]]*\]|[^:]*)(:\d+)?$/.exec(host ?? "")?.[1]?.toLowerCase();
  if (name === undefined) return false;
  if (name === "localhost" || name.endsWith(".localhost") || names.includes(name)) return true;
  return isIP(name.replace(/^\[|\]$/g, "")) !== 0;
}
