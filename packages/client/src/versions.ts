/** resourceVersions of one kind, in order. Source: Kubernetes KEP-5504 (they are decimal numbers of any length). */

/** Negative when `a` is older than `b`. An absent version is older than any other. */
export function compareVersions(a: string | undefined, b: string | undefined): number {
  const [left, right] = [a ?? "", b ?? ""];
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
