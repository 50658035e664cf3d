/**
 * The first few of many by value, as topk, bottomk, sort and sort_desc have them. Which of equal values come, and where NaN goes,
 * follows from the heap that Prometheus keeps, so the same heap is kept here.
 *
 * Source: prometheus 2.42 promql/engine.go; Go's container/heap and sort (insertion sort for up to 12 elements).
 */

export interface Ranked<T> {
  readonly value: number;
  readonly item: T;
}

type Less = (a: number, b: number) => boolean;

const ascending: Less = (a, b) => Number.isNaN(a) || a < b;
const descending: Less = (a, b) => Number.isNaN(a) || a > b;

/** At most `limit` of them, the best first. */
export function ranked<T>(entries: readonly Ranked<T>[], limit: number, order: "topk" | "bottomk"): Ranked<T>[] {
  const less = order === "topk" ? ascending : descending;
  const heap: Ranked<T>[] = [];
  for (const entry of entries) {
    const worst = heap[0];
    if (!worst || heap.length < limit) push(heap, entry, less);
    else if (Number.isNaN(worst.value) || less(worst.value, entry.value)) {
      // A value that is NaN is never better than a number.
      if (Number.isNaN(entry.value) && !Number.isNaN(worst.value)) continue;
      if (limit === 1) heap[0] = entry;
      else {
        pop(heap, less);
        push(heap, entry, less);
      }
    }
  }
  return sortedBy(heap, (a, b) => less(b, a));
}

/** NaN comes last in both orders. */
export const sorted = <T>(entries: readonly Ranked<T>[], order: "ascending" | "descending"): Ranked<T>[] => {
  const less = order === "ascending" ? descending : ascending;
  return sortedBy(entries, (a, b) => less(b, a));
};

const fewest = 12;

function sortedBy<T>(entries: readonly Ranked<T>[], less: Less): Ranked<T>[] {
  const out = [...entries];
  if (out.length > fewest) {
    // Of NaN `less` says that each comes before the other.
    return out.sort((a, b) => Number(less(b.value, a.value)) - Number(less(a.value, b.value)));
  }
  for (let end = 1; end < out.length; end++)
    for (let at = end; at > 0 && less((out[at] as Ranked<T>).value, (out[at - 1] as Ranked<T>).value); at--)
      swap(out, at, at - 1);
  return out;
}

function push<T>(heap: Ranked<T>[], entry: Ranked<T>, less: Less): void {
  let at = heap.push(entry) - 1;
  for (let parent = (at - 1) >> 1; at > 0; parent = (at - 1) >> 1) {
    if (!less((heap[at] as Ranked<T>).value, (heap[parent] as Ranked<T>).value)) break;
    swap(heap, at, parent);
    at = parent;
  }
}

function pop<T>(heap: Ranked<T>[], less: Less): void {
  const end = heap.length - 1;
  swap(heap, 0, end);
  heap.pop();
  for (let at = 0, left = 1; left < end; left = 2 * at + 1) {
    const right = left + 1;
    const isRight = right < end && less((heap[right] as Ranked<T>).value, (heap[left] as Ranked<T>).value);
    const child = isRight ? right : left;
    if (!less((heap[child] as Ranked<T>).value, (heap[at] as Ranked<T>).value)) break;
    swap(heap, at, child);
    at = child;
  }
}

function swap<T>(items: T[], a: number, b: number): void {
  [items[a], items[b]] = [items[b] as T, items[a] as T];
}
