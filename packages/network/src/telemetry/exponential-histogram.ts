/**
 * A histogram whose buckets grow by a constant factor and coarsen by themselves, so that it has an answer at every magnitude.
 * Bucket i holds (b^i, b^(i+1)] with b = 2^(2^-scale).
 *
 * Source: OpenTelemetry specification, Metrics SDK, Base2 Exponential Bucket Histogram Aggregation (160 buckets).
 */

const mostBuckets = 160;
/** The finest that Prometheus keeps: neighbours differ by 0.27%. */
const finest = 8;

export class ExponentialHistogram {
  scale = finest;
  count = 0;
  sum = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  /** Values that are 0. */
  zeroCount = 0;
  /** Index of the first bucket in use. */
  offset = 0;
  #counts = new Float64Array(mostBuckets);
  #used = 0;
  #perOctave = 2 ** finest;

  /** From the first bucket in use to the last one. */
  get counts(): Float64Array {
    return this.#counts.subarray(0, this.#used);
  }

  /** `value`: what is below 0 or no number counts as 0; infinite ones are left out. */
  record(value: number): void {
    if (value === Number.POSITIVE_INFINITY) return;
    const amount = Math.max(0, value || 0);
    this.count++;
    this.sum += amount;
    if (amount < this.min) this.min = amount;
    if (amount > this.max) this.max = amount;
    if (amount === 0) {
      this.zeroCount++;
      return;
    }
    let index = this.#indexOf(amount);
    if (!this.#fits(index)) {
      this.#coarsen(index);
      index = this.#indexOf(amount);
    }
    this.#include(index);
    const at = index - this.offset;
    this.#counts[at] = (this.#counts[at] as number) + 1;
  }

  /**
   * The value below which the share `q` (0 to 1) of all values is; NaN when there are none. Differs from the exact one (that of
   * rank ⌈q × count⌉) by at most the factor `errorFactor`.
   */
  quantile(q: number): number {
    if (this.count === 0) return Number.NaN;
    let left = Math.max(1, Math.ceil(q * this.count)) - this.zeroCount;
    if (left <= 0) return 0;
    for (let at = 0; at < this.#used; at++) {
      left -= this.#counts[at] as number;
      if (left > 0) continue;
      // The middle of the bucket by ratio, which is off by as much at both ends.
      const middle = 2 ** ((this.offset + at + 0.5) / this.#perOctave);
      return Math.min(this.max, Math.max(this.min, middle));
    }
    return this.max;
  }

  /** √b. */
  get errorFactor(): number {
    return 2 ** (0.5 / this.#perOctave);
  }

  #indexOf(value: number): number {
    return Math.ceil(Math.log2(value) * this.#perOctave) - 1;
  }

  #fits(index: number): boolean {
    if (this.#used === 0) return true;
    const first = Math.min(index, this.offset);
    const last = Math.max(index, this.offset + this.#used - 1);
    return last - first < mostBuckets;
  }

  /** Merges neighbours until `index` (of the present scale) has a place. */
  #coarsen(index: number): void {
    let first = Math.min(index, this.offset);
    let last = Math.max(index, this.offset + this.#used - 1);
    let halvings = 0;
    for (; last - first >= mostBuckets; halvings++) {
      first >>= 1;
      last >>= 1;
    }
    const merged = new Float64Array(mostBuckets);
    const offset = this.offset >> halvings;
    for (let at = 0; at < this.#used; at++) {
      const to = ((this.offset + at) >> halvings) - offset;
      merged[to] = (merged[to] as number) + (this.#counts[at] as number);
    }
    this.#used = ((this.offset + this.#used - 1) >> halvings) - offset + 1;
    this.#counts = merged;
    this.offset = offset;
    this.scale -= halvings;
    this.#perOctave = 2 ** this.scale;
  }

  /** Makes `index`, which fits, one of the buckets in use. */
  #include(index: number): void {
    if (this.#used === 0) {
      this.offset = index;
      this.#used = 1;
      return;
    }
    const below = this.offset - index;
    if (below > 0) {
      this.#counts.copyWithin(below, 0, this.#used);
      this.#counts.fill(0, 0, below);
      this.offset = index;
      this.#used += below;
    } else if (index - this.offset >= this.#used) this.#used = index - this.offset + 1;
  }
}
