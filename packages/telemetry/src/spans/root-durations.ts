/**
 * How long the traces of each root operation take, to tell which are slow: counts by duration, in buckets of 2 % (DDSketch: Masson,
 * Rim, Lee, 2019). Memory is bounded: operations beyond a number of them are counted as one.
 */
const perBucket = Math.log(1.02);
const mostOperations = 1000;
const quantile = 0.99;

/** Nanoseconds to its bucket; what is 0 or less is in the first. */
const bucketOf = (duration: number): number => (duration < 1 ? 0 : Math.floor(Math.log(duration) / perBucket) + 1);

export class RootDurations {
  readonly #counts = new Map<string, Map<number, number>>();
  #slow: Map<string, number> | undefined;

  add(operation: string, duration: number, count: number): void {
    const key = this.#keyOf(operation);
    let buckets = this.#counts.get(key);
    if (!buckets) {
      buckets = new Map();
      this.#counts.set(key, buckets);
    }
    const bucket = bucketOf(duration);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + count);
    this.#slow = undefined;
  }

  /** Whether it took longer than the p99 of its operation; one bucket more or less cannot be told apart. */
  isSlow(operation: string, duration: number): boolean {
    this.#slow ??= new Map(Array.from(this.#counts, ([key, buckets]) => [key, bucketAt(buckets)]));
    return bucketOf(duration) > (this.#slow.get(this.#keyOf(operation)) ?? Number.POSITIVE_INFINITY);
  }

  #keyOf = (operation: string): string =>
    this.#counts.has(operation) || this.#counts.size < mostOperations ? operation : "";
}

/** The bucket of the quantile. */
function bucketAt(buckets: ReadonlyMap<number, number>): number {
  const sorted = [...buckets].sort((a, b) => a[0] - b[0]);
  let left = quantile * sorted.reduce((sum, [, count]) => sum + count, 0);
  for (const [bucket, count] of sorted) {
    left -= count;
    if (left <= 0) return bucket;
  }
  return Number.POSITIVE_INFINITY;
}
