/** Runs 1, then 2, 4, ... at once, as long as all succeed. Source: kubernetes pkg/controller/replicaset slowStartBatch. */

/** True when all have succeeded; `run` says whether one has, and does not throw. */
export async function slowStart<T>(items: readonly T[], run: (item: T) => Promise<boolean>): Promise<boolean> {
  let size = 1;
  for (let at = 0; at < items.length; at += size / 2) {
    const results = await Promise.all(items.slice(at, at + size).map(run));
    if (results.includes(false)) return false;
    size *= 2;
  }
  return true;
}
