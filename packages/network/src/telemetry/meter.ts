/**
 * Counts and measures by label, cumulatively, and says them as OTLP. What is observed only when asked (gauges, counts that
 * somebody else keeps) is asked for at each collection.
 *
 * Source of the limit and of what is over it: OpenTelemetry specification, Metrics SDK, Cardinality limits.
 */
import { ExponentialHistogram } from "./exponential-histogram.ts";
import {
  histogramPoint,
  type Instrument,
  metricKind,
  numberPoint,
  overflowing,
  writeMetric,
} from "./metric-encoder.ts";
import { type Attributes, type Scope, wrapped } from "./otlp.ts";
import { ReverseWriter } from "./reverse-writer.ts";

export interface Observation {
  readonly labels: readonly string[];
  readonly value: number;
}

/** Of one instrument; the rest is summed up in one that carries `otel.metric.overflow`. */
export const mostSeries = 2000;
/** A series that has not changed for so long is forgotten; when it comes again it begins at 0, and says so. Milliseconds. */
const forgottenAfter = 3_600_000;

/** One series of a counter or histogram: `value` is a sum, or the histogram. */
export class Series<V extends number | ExponentialHistogram = number | ExponentialHistogram> {
  readonly labels: readonly string[];
  /** Milliseconds since the epoch. */
  readonly since: number;
  value: V;
  /** Changed since the last collection. */
  fresh = true;
  lastChange: number;
  /** That it began at 0 has been told to somebody. */
  announced = false;

  constructor(labels: readonly string[], since: number, value: V) {
    this.labels = labels;
    this.since = since;
    this.lastChange = since;
    this.value = value;
  }
}

class Family<V extends number | ExponentialHistogram> {
  readonly instrument: Instrument;
  readonly kind: number;
  readonly #zero: () => V;
  readonly #now: () => number;
  readonly #series = new Map<string, Series<V>>();
  #overflow: Series<V> | undefined;

  constructor(instrument: Instrument, kind: number, zero: () => V, now: () => number) {
    this.instrument = instrument;
    this.kind = kind;
    this.#zero = zero;
    this.#now = now;
  }

  of(labels: readonly string[]): Series<V> {
    const key = labels.join("\0");
    const known = this.#series.get(key);
    if (known) return known;
    if (this.#series.size >= mostSeries) {
      this.#overflow ??= new Series(overflowing, this.#since(), this.#zero());
      return this.#overflow;
    }
    const fresh = new Series([...labels], this.#since(), this.#zero());
    this.#series.set(key, fresh);
    return fresh;
  }

  /** Before the first value, whenever it is told: two points of one series never have the same time. */
  #since(): number {
    return this.#now() - 1;
  }

  *all(): Generator<Series<V>> {
    yield* this.#series.values();
    if (this.#overflow) yield this.#overflow;
  }

  forget(now: number): void {
    for (const [key, series] of this.#series) {
      if (series.fresh) series.lastChange = now;
      else if (now - series.lastChange > forgottenAfter) this.#series.delete(key);
      series.fresh = false;
    }
  }
}

export class Counter {
  readonly family: Family<number>;

  constructor(family: Family<number>) {
    this.family = family;
  }

  add(labels: readonly string[], amount = 1): void {
    this.addTo(this.family.of(labels), amount);
  }

  addTo(series: Series<number>, amount: number): void {
    series.value += amount;
    series.fresh = true;
  }
}

export class Histograms {
  readonly family: Family<ExponentialHistogram>;

  constructor(family: Family<ExponentialHistogram>) {
    this.family = family;
  }

  record(labels: readonly string[], value: number): void {
    this.recordIn(this.family.of(labels), value);
  }

  recordIn(series: Series<ExponentialHistogram>, value: number): void {
    series.value.record(value);
    series.fresh = true;
  }
}

interface Observed {
  readonly instrument: Instrument;
  readonly isSum: boolean;
  readonly observe: () => Iterable<Observation>;
  /** Labels of what somebody was told of, by themselves. */
  told: ReadonlyMap<string, readonly string[]>;
}

export interface Collected {
  /** An ExportMetricsServiceRequest. */
  readonly request: Buffer;
  /** To be called when somebody has taken it. */
  taken(): void;
}

export class Meter {
  readonly #now: () => number;
  readonly #begun: number;
  readonly #families: (Family<number> | Family<ExponentialHistogram>)[] = [];
  readonly #observed: Observed[] = [];
  /** Goes up at each collection: series that were asked for by an earlier one may be forgotten since. */
  age = 0;

  /** `now`: milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
    this.#begun = now();
  }

  counter(instrument: Instrument): Counter {
    const family = new Family(instrument, metricKind.sum, () => 0, this.#now);
    this.#families.push(family);
    return new Counter(family);
  }

  histograms(instrument: Instrument): Histograms {
    const family = new Family(instrument, metricKind.exponentialHistogram, () => new ExponentialHistogram(), this.#now);
    this.#families.push(family);
    return new Histograms(family);
  }

  /** `isSum`: values only grow, from 0 at the start of the process. */
  observe(instrument: Instrument, isSum: boolean, observe: () => Iterable<Observation>): void {
    this.#observed.push({ instrument, isSum, observe, told: new Map() });
  }

  /**
   * Everything as it is now. A series that nobody has taken before is told with its beginning at 0 as well: a rate needs two
   * points, and the first failures of a new version must not go unseen.
   */
  collect(resource: Attributes, scope: Scope): Collected {
    // Whoever is asked may begin to count something: that has begun before the moment that is told.
    const observations = this.#observed.map((observed): Asked => [observed, [...observed.observe()]]);
    const now = this.#now();
    this.age++;
    const writer = new ReverseWriter(16 * 1024);
    const told: Series[] = [];
    const seen = observations.map((asked) => collectObserved(writer, asked, this.#begun, now));
    for (const family of this.#families) {
      const { instrument, kind } = family;
      const end = writer.end;
      for (const series of family.all()) {
        told.push(series);
        point(writer, instrument, series, now);
        if (!series.announced) startPoint(writer, instrument, series);
      }
      if (writer.end > end) writeMetric(writer, instrument, kind, end);
      family.forget(now);
    }
    return {
      request: wrapped(writer, resource, scope),
      taken() {
        for (const series of told) series.announced = true;
        for (const [observed, labels] of seen) observed.told = labels;
      },
    };
  }
}

type Asked = readonly [Observed, readonly Observation[]];

/** What is not there any more is said to have ended, or it would seem to stay as it was for minutes. */
function collectObserved(
  writer: ReverseWriter,
  [observed, observations]: Asked,
  begun: number,
  now: number,
): [Observed, Observed["told"]] {
  const { instrument, isSum, told } = observed;
  const end = writer.end;
  const seen = new Map<string, readonly string[]>();
  for (const { labels, value } of observations) {
    numberPoint(writer, instrument, labels, { since: isSum ? begun : undefined, now, value });
    seen.set(labels.join("\0"), labels);
  }
  for (const [key, labels] of told)
    if (!seen.has(key)) numberPoint(writer, instrument, labels, { since: undefined, now, value: undefined });
  if (writer.end > end) writeMetric(writer, instrument, isSum ? metricKind.sum : metricKind.gauge, end);
  return [observed, seen];
}

function point(writer: ReverseWriter, instrument: Instrument, { labels, since, value }: Series, now: number): void {
  if (typeof value === "number") numberPoint(writer, instrument, labels, { since, now, value });
  else histogramPoint(writer, instrument, labels, { since, now, value });
}

function startPoint(writer: ReverseWriter, instrument: Instrument, { labels, since, value }: Series): void {
  if (typeof value === "number") numberPoint(writer, instrument, labels, { since, now: since, value: 0 });
  else histogramPoint(writer, instrument, labels, { since, now: since, value: new ExponentialHistogram() });
}
