/**
 * Takes data points into the head: finds or makes their series within the limits, compares each sample with what its series has,
 * adds up differences, and says everything that it changes to the journal's next record.
 */
import type { Clock } from "@flotilla/ambient";
import type { Losses } from "../sink.ts";
import { Head } from "./head.ts";
import { RecordWriter } from "./journal-records.ts";
import { type FlatLabels, flatLabels } from "./label-sets.ts";
import type { MetricLimits } from "./limits.ts";
import { emptyHistogram, runningSum, sameHistogram } from "./native-histogram.ts";
import type { MetricMetadata, NativeHistogram } from "./series.ts";
import { counterFlag, histogramFlag, SeriesTable } from "./series-table.ts";
import type { Part, Point, TranslationTarget } from "./translate.ts";

/** A head that takes nothing more and is being written to a block, with the table that its numbers are of. */
export interface Frozen {
  readonly table: SeriesTable;
  readonly head: Head;
}

interface Problem {
  readonly reason: string;
  readonly message: string;
}

/** Metric names whose type and help are known. */
const mostMetadata = 20_000;
const longestHelp = 1024;

export class SeriesIntake implements TranslationTarget {
  readonly #clock: Clock;
  readonly #losses: Losses;
  readonly #limits: MetricLimits;
  table = new SeriesTable();
  head = new Head();
  frozen: Frozen | undefined;
  readonly record = new RecordWriter();
  readonly metadataByName = new Map<string, MetricMetadata>();
  /** Of names and help texts. */
  #metadataCharacters = 0;
  /** By series: sums of histograms whose sender says differences. */
  totals = new Map<number, NativeHistogram>();
  #byService = new Map<string, number>();
  /** Why the first data point that was refused was; the owner empties it for each request. */
  message: string | undefined;

  constructor(clock: Clock, losses: Losses, limits: MetricLimits) {
    this.#clock = clock;
    this.#losses = losses;
    this.#limits = limits;
  }

  refuse(reason: string, message: string, count: number): void {
    this.#losses.add("metrics", reason, count);
    this.message ??= message;
  }

  metadata(name: string, metadata: MetricMetadata): void {
    const known = this.metadataByName.get(name);
    if (!known && this.metadataByName.size >= mostMetadata) return;
    let help = shortened(metadata.help);
    const more = help.length - (known ? known.help.length : -name.length);
    if (this.#metadataCharacters + more <= this.#limits.maxMetadataCharacters) this.#metadataCharacters += more;
    else if (known) help = known.help;
    else return;
    if (known?.type === metadata.type && known.unit === metadata.unit && known.help === help) return;
    const kept = { ...metadata, help };
    this.metadataByName.set(name, kept);
    this.record.metadata(name, kept);
  }

  point(point: Point): boolean {
    const problem = this.#untimely(point) ?? (point.isEnd ? this.#end(point) : this.#takeAll(point));
    if (problem) this.refuse(problem.reason, problem.message, 1);
    return problem === undefined;
  }

  #untimely({ time, parts }: Point): Problem | undefined {
    const late = this.#clock.now() - time;
    const name = parts[0]?.labels[1];
    if (-late > this.#limits.maxAhead)
      return { reason: "too new", message: `${name}: ${seconds(-late)} in the future` };
    if (late > this.#limits.maxLate) return { reason: "too old", message: `${name}: ${seconds(late)} old` };
    return undefined;
  }

  /** All of its parts, or none. */
  #takeAll(point: Point): Problem | undefined {
    const { parts } = point;
    const series: number[] = [];
    for (const part of parts) {
      const found = this.#seriesOf(part);
      if (typeof found === "object") return found;
      series.push(found);
    }
    const verdicts = parts.map((part, index) => this.#compare(series[index] as number, part, point));
    const name = parts[0]?.labels[1];
    if (verdicts.includes("late"))
      return { reason: "out of order", message: `${name}: later samples of this series are there already` };
    if (verdicts.includes("other"))
      return { reason: "duplicate", message: `${name}: another value at the same time is there already` };
    for (const [index, part] of parts.entries())
      if (verdicts[index] === "new") this.#take(series[index] as number, part, point);
  }

  #seriesOf({ labels, isCounter, histogram }: Part): number | Problem {
    const known = this.table.find(labels);
    if (known >= 0) return known;
    const flags = (isCounter ? counterFlag : 0) | (histogram ? histogramFlag : 0);
    return this.#noRoomFor(labels) ?? this.addSeries(labels, flags);
  }

  addSeries(labels: FlatLabels, flags: number): number {
    const series = this.table.add(labels, flags);
    const service = serviceIn(labels);
    this.#byService.set(service, (this.#byService.get(service) ?? 0) + 1);
    this.record.series(series, labels, flags);
    return series;
  }

  #noRoomFor(labels: FlatLabels): Problem | undefined {
    const { maxSeries, maxSeriesPerMetric, maxSeriesPerService, maxLabels, maxLabelLength } = this.#limits;
    const { maxLabelCharacters } = this.#limits;
    const name = labels[1] as string;
    if (labels.length / 2 > maxLabels)
      return {
        reason: "too many labels",
        message: `${name}: ${labels.length / 2} labels; at most ${maxLabels} are kept`,
      };
    const long = labels.findIndex((text) => text.length > maxLabelLength);
    if (long >= 0) {
      const message = `${name.slice(0, 100)}: the label ${labels[long & ~1]?.slice(0, 100)} has more than ${maxLabelLength} characters`;
      return { reason: "label too long", message };
    }
    const service = serviceIn(labels);
    const full = (what: string, most: number) => ({
      reason: "too many series",
      message: `${name}: ${what} has ${most} series already, which is the most; is a label's value different each time?`,
    });
    if (this.table.countOf(name) >= maxSeriesPerMetric) return full("the metric", maxSeriesPerMetric);
    if (service && (this.#byService.get(service) ?? 0) >= maxSeriesPerService)
      return full(`the service ${service}`, maxSeriesPerService);
    if (this.table.size >= maxSeries) return full("the store", maxSeries);
    if (this.table.characters < maxLabelCharacters) return undefined;
    const message = `${name}: labels have ${maxLabelCharacters} characters already, which is the most; is a label's value different each time?`;
    return { reason: "too many series", message };
  }

  #compare(series: number, part: Part, { time, isDelta }: Point): "new" | "same" | "other" | "late" {
    const last = this.table.lastTime[series] as number;
    if (time > last) return "new";
    // What was added up once cannot be told from its repetition.
    if (isDelta) return time === last ? "same" : "late";
    if (last - time > this.#limits.maxOutOfOrder) return "late";
    let known = this.#at(series, time);
    // It may be in a block already.
    if (known === undefined && time === last && !part.histogram) known = this.table.lastValue[series];
    if (known === undefined || known === "end") return "new";
    const isSame =
      typeof known === "number"
        ? !part.histogram && Object.is(known, part.value)
        : part.histogram !== undefined && sameHistogram(known, part.histogram);
    return isSame ? "same" : "other";
  }

  #at(series: number, time: number): ReturnType<Head["at"]> {
    const found = this.head.at(series, time);
    return found ?? (this.frozen?.table === this.table ? this.frozen.head.at(series, time) : undefined);
  }

  #take(series: number, part: Part, { time, start, isDelta }: Point): void {
    if (part.isCounter && !isDelta && start > 0) this.#noteStart(series, part, time, start);
    if (part.histogram) {
      let histogram = part.histogram;
      if (isDelta) {
        const total = this.totals.get(series);
        if (total) histogram = runningSum(total, histogram);
        this.totals.set(series, histogram);
      }
      this.record.histogram(series, time, histogram);
      this.putHistogram(series, time, histogram);
      return;
    }
    const last = this.table.lastValue[series] as number;
    const value = isDelta && !Number.isNaN(last) ? last + part.value : part.value;
    this.record.sample(series, time, value);
    this.put(series, time, value);
  }

  /**
   * A counter that began to count after its last sample began at 0, whatever it says now: that moment becomes a sample, or what
   * was counted until its first look would be missed. Source: prometheus scrape, "created timestamps zero ingestion".
   */
  #noteStart(series: number, part: Part, time: number, start: number): void {
    const { table } = this;
    if (table.start[series] === start) return;
    const lastTime = table.lastTime[series] as number;
    const isFirst = lastTime === Number.NEGATIVE_INFINITY;
    const value = part.histogram?.count ?? part.value;
    const isHidden = isFirst || value >= (table.lastValue[series] as number);
    const earliest = Math.max(lastTime, this.#clock.now() - this.#limits.maxLate);
    if (isHidden && value !== 0 && start > earliest && start < time) {
      if (part.histogram) {
        const empty = emptyHistogram(part.histogram);
        this.record.histogram(series, start, empty);
        this.putHistogram(series, start, empty);
      } else {
        this.record.sample(series, start, 0);
        this.put(series, start, 0);
      }
    }
    table.start[series] = start;
    this.record.state(series, this.stateOf(series));
  }

  #end({ time, parts }: Point): undefined {
    for (const { labels } of parts) {
      const series = this.table.find(labels);
      // Of what nobody knows there is nothing to end.
      if (series < 0 || time <= (this.table.lastTime[series] as number)) continue;
      this.record.end(series, time);
      this.putEnd(series, time);
    }
  }

  put(series: number, time: number, value: number): void {
    this.head.append(series, time, value);
    this.#newest(series, time, value);
  }

  putHistogram(series: number, time: number, histogram: NativeHistogram): void {
    this.head.appendHistogram(series, time, histogram);
    this.#newest(series, time, histogram.count);
  }

  putEnd(series: number, time: number): void {
    this.head.appendEnd(series, time);
    this.#newest(series, time, this.table.lastValue[series] as number);
  }

  #newest(series: number, time: number, value: number): void {
    if (time < (this.table.lastTime[series] as number)) return;
    this.table.lastTime[series] = time;
    this.table.lastValue[series] = value;
  }

  stateOf(series: number): { lastTime: number; lastValue: number; start: number } {
    const { lastTime, lastValue, start } = this.table;
    return {
      lastTime: lastTime[series] as number,
      lastValue: lastValue[series] as number,
      start: start[series] as number,
    };
  }

  setState(series: number, { lastTime, lastValue, start }: ReturnType<SeriesIntake["stateOf"]>): void {
    const { table } = this;
    if (lastTime >= (table.lastTime[series] as number)) {
      table.lastTime[series] = lastTime;
      table.lastValue[series] = lastValue;
    }
    table.start[series] = start;
  }

  /** Series whose newest sample is older than `activeFor`. */
  inactive(): number {
    const before = this.#clock.now() - this.#limits.activeFor;
    return this.table.lastTime.subarray(0, this.table.size).reduce((sum, time) => sum + (time < before ? 1 : 0), 0);
  }

  /** From now on samples go to a new head; of the series only those go on that are active. */
  freeze(): Frozen {
    const frozen = { table: this.table, head: this.head };
    this.frozen = frozen;
    this.head = new Head();
    if (this.inactive() > this.table.size / 4) this.#forgetInactive();
    return frozen;
  }

  #forgetInactive(): void {
    const { table, totals } = this;
    const before = this.#clock.now() - this.#limits.activeFor;
    this.table = new SeriesTable();
    this.totals = new Map();
    this.#byService = new Map();
    for (let series = 0; series < table.size; series++) {
      if ((table.lastTime[series] as number) < before) continue;
      const id = this.addSeries(flatLabels(table, series), table.flags[series] as number);
      this.table.lastTime[id] = table.lastTime[series] as number;
      this.table.lastValue[id] = table.lastValue[series] as number;
      this.table.start[id] = table.start[series] as number;
      const total = totals.get(series);
      if (total) this.totals.set(id, total);
    }
    // The journal that begins now says all of it anyway.
    this.record.take();
  }

  /** All that a new journal has to know before its first sample, in records of bearable size. */
  *snapshot(): Generator<Buffer> {
    const writer = new RecordWriter();
    for (const [name, metadata] of this.metadataByName) writer.metadata(name, metadata);
    for (let series = 0; series < this.table.size; series++) {
      writer.series(series, flatLabels(this.table, series), this.table.flags[series] as number);
      writer.state(series, this.stateOf(series));
      const total = this.totals.get(series);
      if (total) writer.total(series, total);
      if (writer.length < 256 * 1024) continue;
      const record = writer.take();
      if (record) yield record;
    }
    const record = writer.take();
    if (record) yield record;
  }
}

/** A part of a text would keep all of it in memory. */
const shortened = (help: string): string =>
  help.length <= longestHelp ? help : Buffer.from(help.slice(0, longestHelp)).toString();

function serviceIn(labels: FlatLabels): string {
  for (let i = 2; i < labels.length; i += 2) if (labels[i] === "service") return labels[i + 1] as string;
  return "";
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
