/**
 * Counts and measures by label, cumulatively, and says them as OTLP. What is observed only when asked (gauges, counts that
 * somebody else keeps) is asked for at each collection.
 *
 * Source of the limit and of what is over it: OpenTelemetry specification, Metrics SDK, Cardinality limits.
 */
import { ExponentialHistogram } from "./exponential-histogram.ts";
import { attributes, type Scope, wrapped } from "./otlp.ts";
import { ReverseWriter } from "./reverse-writer.ts";

export interface Instrument {
  /** As OpenTelemetry names: `flotilla.requests`. */
  readonly name: string;
  /** UCUM: "s", "By", "{request}". */
  readonly unit: string;
  readonly description: string;
  /** Names of the labels, in the order in which values are given. */
  readonly labels: readonly string[];
}

export interface Observation {
  readonly labels: readonly string[];
  readonly value: number;
}

/** Of one instrument; the rest is summed up in one that carries `otel.metric.overflow`. */
export const mostSeries = 2000;
/** A series that has not changed for so long is forgotten; when it comes again it begins at 0, and says so. Milliseconds. */
const forgottenAfter = 3_600_000;

/** Source: opentelemetry/proto/metrics/v1/metrics.proto. */
const field = { gauge: 5, sum: 7, exponentialHistogram: 10 } as const;
const cumulative = 2;

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

/** Told from real labels by identity. */
const overflowing: readonly string[] = [];

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
    const family = new Family(instrument, field.sum, () => 0, this.#now);
    this.#families.push(family);
    return new Counter(family);
  }

  histograms(instrument: Instrument): Histograms {
    const family = new Family(instrument, field.exponentialHistogram, () => new ExponentialHistogram(), this.#now);
    this.#families.push(family);
    return new Histograms(family);
  }

  /** `isSum`: values only grow, from 0 at the start of the process. */
  observe(instrument: Instrument, isSum: boolean, observe: () => Iterable<Observation>): void {
    this.#observed.push({ instrument, isSum, observe });
  }

  /**
   * Everything as it is now. A series that nobody has taken before is told with its beginning at 0 as well: a rate needs two
   * points, and the first failures of a new version must not go unseen.
   */
  collect(resource: Readonly<Record<string, string>>, scope: Scope): Collected {
    const now = this.#now();
    this.age++;
    const writer = new ReverseWriter(16 * 1024);
    const told: Series[] = [];
    for (const { instrument, isSum, observe } of this.#observed) {
      const end = writer.end;
      for (const { labels, value } of observe()) {
        numberPoint(writer, instrument, labels, { since: isSum ? this.#begun : undefined, now, value });
      }
      if (writer.end > end) metric(writer, instrument, isSum ? field.sum : field.gauge, end);
    }
    for (const family of this.#families) {
      const { instrument, kind } = family;
      const end = writer.end;
      for (const series of family.all()) {
        told.push(series);
        point(writer, instrument, series, now);
        if (!series.announced) startPoint(writer, instrument, series);
      }
      if (writer.end > end) metric(writer, instrument, kind, end);
      family.forget(now);
    }
    return {
      request: wrapped(writer, resource, scope),
      taken() {
        for (const series of told) series.announced = true;
      },
    };
  }
}

/** Makes what was written since `end`, data points, a metric of a ScopeMetrics. */
function metric(writer: ReverseWriter, { name, unit, description }: Instrument, kind: number, end: number): void {
  // Fields may come in any order: these after the data points are before them in what is written.
  if (kind === field.sum) writer.varint(3, 1);
  if (kind !== field.gauge) writer.varint(2, cumulative);
  writer.message(kind, end);
  writer.text(3, unit);
  writer.text(2, description);
  writer.text(1, name);
  writer.message(2, end);
}

function labelled(writer: ReverseWriter, at: number, { labels: names }: Instrument, labels: readonly string[]): void {
  if (labels === overflowing) attributes(writer, at, { "otel.metric.overflow": true });
  else
    for (let i = names.length - 1; i >= 0; i--) attributes(writer, at, { [names[i] as string]: labels[i] as string });
}

function point(writer: ReverseWriter, instrument: Instrument, { labels, since, value }: Series, now: number): void {
  if (typeof value === "number") numberPoint(writer, instrument, labels, { since, now, value });
  else histogramPoint(writer, instrument, labels, { since, now, value });
}

function startPoint(writer: ReverseWriter, instrument: Instrument, { labels, since, value }: Series): void {
  if (typeof value === "number") numberPoint(writer, instrument, labels, { since, now: since, value: 0 });
  else histogramPoint(writer, instrument, labels, { since, now: since, value: new ExponentialHistogram() });
}

interface At<V> {
  readonly since: number | undefined;
  readonly now: number;
  readonly value: V;
}

function numberPoint(
  writer: ReverseWriter,
  instrument: Instrument,
  labels: readonly string[],
  { since, now, value }: At<number>,
): void {
  const end = writer.end;
  labelled(writer, 7, instrument, labels);
  writer.double(4, value);
  writer.nanoseconds(3, now);
  if (since !== undefined) writer.nanoseconds(2, since);
  writer.message(1, end);
}

function histogramPoint(
  writer: ReverseWriter,
  instrument: Instrument,
  labels: readonly string[],
  { since, now, value }: At<ExponentialHistogram>,
): void {
  const end = writer.end;
  if (value.count > 0) {
    writer.double(13, value.max);
    writer.double(12, value.min);
    const buckets = writer.end;
    writer.varints(2, value.counts);
    writer.sint32(1, value.offset);
    writer.message(8, buckets);
  }
  writer.fixed64(7, value.zeroCount);
  writer.sint32(6, value.scale);
  writer.double(5, value.sum);
  writer.fixed64(4, value.count);
  writer.nanoseconds(3, now);
  if (since !== undefined) writer.nanoseconds(2, since);
  labelled(writer, 1, instrument, labels);
  writer.message(1, end);
}
