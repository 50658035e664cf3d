/**
 * How many spans may be made: when more are asked for than the budget allows, a share of the traces is left out, chosen by
 * trace id, so that everybody who chooses by the same rule keeps the same traces.
 *
 * Source of the choice: OpenTelemetry specification, trace/tracestate-probability-sampling (randomness is the last 56 bits of the
 * trace id; a trace is kept if that is not below the threshold; `th` is the threshold's leading hex digits).
 */

/** Thresholds are multiples of this, so that they are told in three hex digits. */
const step = 2 ** -12;

export class SpanBudget {
  readonly #perSecond: number;
  #second = Number.NEGATIVE_INFINITY;
  #asked = 0;
  #threshold = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** The share of traces that is left out, from 0 to 1. */
  get threshold(): number {
    return this.#threshold;
  }

  /** One more span is asked for. `now`: ms. The threshold follows the second that has passed. */
  note(now: number): void {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      const isNext = second === this.#second + 1;
      const share = isNext && this.#asked > this.#perSecond ? 1 - this.#perSecond / this.#asked : 0;
      this.#threshold = Math.min(1 - step, Math.ceil(share / step) * step);
      this.#second = second;
      this.#asked = 0;
    }
    this.#asked++;
  }

  keeps(traceId: string): boolean {
    return this.#threshold === 0 || Number.parseInt(traceId.slice(18), 16) >= this.#threshold * 2 ** 56;
  }

  /** The member of tracestate that tells the probability to whoever counts; undefined: everything is kept. */
  get member(): string | undefined {
    if (this.#threshold === 0) return undefined;
    const digits = Math.round(this.#threshold / step)
      .toString(16)
      .padStart(3, "0");
    return `ot=th:${digits.replace(/0+$/, "")}`;
  }
}
