/** Scrapes one target again and again, and hands on what it says, how it went, and what has ended. */
import type { Cancel, Clock } from "@flotilla/ambient";
import { encodeMetrics } from "../otlp/codec.ts";
import type { Resource } from "../otlp/types.ts";
import { type Losses, type Sink, UnavailableError } from "../sink.ts";
import { type ExposedType, type Label, parseExposition } from "./exposition.ts";
import type { ScrapeAnswer } from "./fetch.ts";
import { ended, metricsOfPoints, pointKey, type ScrapedPoint, scrapedPoints } from "./scraped-metrics.ts";

export interface LoopOptions {
  readonly key: string;
  readonly url: string;
  /** Milliseconds. */
  readonly interval: number;
  readonly resource: Resource;
  read(): Promise<ScrapeAnswer>;
  /** Labels that a sample gets besides its own. */
  more?(labels: readonly Label[]): readonly Label[];
  /** Samples of one text. */
  readonly maxSamples: number;
  readonly clock: Clock;
  readonly sink: Pick<Sink, "metrics">;
  readonly losses: Losses;
}

export interface TargetState {
  readonly key: string;
  /** "" for the process itself. */
  readonly url: string;
  readonly resource: Resource;
  /** Milliseconds. */
  readonly interval: number;
  /** Why the last scrape failed; undefined: it did not, or there was none yet. */
  readonly fault: string | undefined;
  /** Of the last one; undefined: there was none yet. Milliseconds since the epoch. */
  readonly at: number | undefined;
  /** Of the last one, in seconds. */
  readonly duration: number;
}

/** Of one request: a decoder allows half a million values, and a point with its labels and buckets may have a hundred. */
const pointsAtOnce = 2000;

export class ScrapeLoop {
  readonly #options: LoopOptions;
  /** Of the last scrape, by series. */
  #last = new Map<string, ScrapedPoint>();
  #cancel: Cancel = () => {};
  #isStopped = false;
  #state: TargetState;

  constructor(options: LoopOptions) {
    this.#options = options;
    const { key, url, resource, interval } = options;
    this.#state = { key, url, resource, interval, fault: undefined, at: undefined, duration: 0 };
    this.#again();
  }

  get state(): TargetState {
    return this.#state;
  }

  /** Everything that it said ends now. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancel();
    this.#hand([...this.#last.values()].map((point) => ended(point, this.#options.clock.now())));
  }

  /** Each target has its own place within the interval, the same after a restart. Source: prometheus scrape/target.go, offset. */
  #again(): void {
    const { clock, interval, key } = this.#options;
    const now = clock.now();
    const wait = interval - ((((now - placeOf(key, interval)) % interval) + interval) % interval);
    this.#cancel = clock.after(wait, () => void this.#scrape(), { background: true });
  }

  async #scrape(): Promise<void> {
    const { clock, read, more, maxSamples } = this.#options;
    const at = clock.now();
    let fault: string | undefined;
    let points: ScrapedPoint[] = [];
    let samples = 0;
    try {
      const { text, contentType } = await read();
      const families = parseExposition(text, contentType, maxSamples);
      samples = families.reduce((sum, family) => sum + family.samples.length, 0);
      points = scrapedPoints(families, at, more);
    } catch (error) {
      fault = (error as Error).message;
    }
    if (this.#isStopped) return;
    const duration = (clock.now() - at) / 1000;
    this.#state = { ...this.#state, fault, at, duration };
    this.#take(at, points, [
      report("up", "1 if the target could be scraped, 0 if not.", fault === undefined ? 1 : 0, at),
      report("scrape_duration_seconds", "How long the scrape took.", duration, at),
      report("scrape_samples_scraped", "Samples that the target said.", samples, at),
      report("scrape_samples_post_metric_relabeling", "Samples that are kept of them.", samples, at),
    ]);
    this.#again();
  }

  #take(at: number, points: readonly ScrapedPoint[], reports: ScrapedPoint[]): void {
    const now = new Map<string, ScrapedPoint>();
    for (const point of points) now.set(pointKey(point), point);
    const added = [...now.keys()].filter((key) => !this.#last.has(key)).length;
    reports.push(report("scrape_series_added", "Series that were not in the scrape before.", added, at));
    for (const point of reports) now.set(pointKey(point), point);
    const gone = [...this.#last].filter(([key]) => !now.has(key)).map(([, point]) => ended(point, at));
    this.#last = now;
    this.#hand([...points, ...reports, ...gone]);
  }

  #hand(points: readonly ScrapedPoint[]): void {
    const { sink, losses, resource } = this.#options;
    for (let from = 0; from < points.length; from += pointsAtOnce) {
      const some = points.slice(from, from + pointsAtOnce);
      const scopeMetrics = [{ scope: { name: "flotilla/scrape" }, metrics: metricsOfPoints(some) }];
      try {
        sink.metrics(encodeMetrics({ resourceMetrics: [{ resource, scopeMetrics }] }));
      } catch (error) {
        // The next scrape says it all again.
        if (!(error instanceof UnavailableError)) throw error;
        losses.add("metrics", "scrape not kept", some.length);
      }
    }
  }
}

function report(name: string, help: string, value: number, at: number): ScrapedPoint {
  const type: ExposedType = "gauge";
  return {
    metric: { name, type, help, unit: "" },
    kind: "gauge",
    point: { timeUnixNano: `${at}000000`, attributes: [], asDouble: value },
  };
}

/** FNV-1a. */
function placeOf(key: string, interval: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % interval;
}
