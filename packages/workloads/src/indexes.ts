/** Completion indexes of a Job as its status spells them: "1,3-5,7". Source: kubernetes pkg/controller/job/indexed_job_utils.go. */

export function parseIndexes(text: string | undefined, completions: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of text ? text.split(",") : []) {
    const [first, last = first] = part.split("-").map(Number);
    if (first === undefined || last === undefined || Number.isNaN(first) || Number.isNaN(last)) continue;
    for (let index = first; index <= last && index < completions; index++) indexes.add(index);
  }
  return indexes;
}

export function formatIndexes(indexes: ReadonlySet<number>): string {
  const parts: string[] = [];
  const sorted = [...indexes].sort((a, b) => a - b);
  for (let i = 0; i < sorted.length; ) {
    let end = i;
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
    const [first, last] = [sorted[i], sorted[end]];
    // Two in a row are a list, three a range.
    parts.push(
      first === last ? `${first}` : (last ?? 0) - (first ?? 0) === 1 ? `${first},${last}` : `${first}-${last}`,
    );
    i = end + 1;
  }
  return parts.join(",");
}
