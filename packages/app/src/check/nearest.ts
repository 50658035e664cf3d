/** The known word that was probably meant. */

/** Edits (insert, delete, replace, swap neighbours) between two words. Source: optimal string alignment distance. */
function distance(left: string, right: string): number {
  let before: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, i) => i);
  for (let i = 1; i <= left.length; i++) {
    const row = [i];
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1] ? 0 : 1;
      let best = Math.min((row[j - 1] as number) + 1, (last[j] as number) + 1, (last[j - 1] as number) + same);
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1])
        best = Math.min(best, (before[j - 2] as number) + 1);
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[right.length] as number;
}

/** Undefined when nothing is near: more than a third of the word (at least one edit) would have to change. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: { word: string; distance: number } | undefined;
  for (const candidate of known) {
    const d = distance(word.toLowerCase(), candidate.toLowerCase());
    if (d <= Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3)) && (!best || d < best.distance))
      best = { word: candidate, distance: d };
  }
  return best?.word;
}

/** `did you mean "x"?`, or what there is. */
export function suggestion(word: string, known: readonly string[], none: string): string {
  const near = nearest(word, known);
  if (near) return `did you mean "${near}"?`;
  return known.length ? `there ${known.length === 1 ? "is" : "are"} ${known.join(", ")}` : none;
}
