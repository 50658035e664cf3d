/** What the process tells of itself, as the text that it scrapes from itself and that others may scrape. */
import type { Losses, Signal, Sink } from "../sink.ts";
import type { StoreStats } from "../store/store-stats.ts";

type Kept = Pick<StoreStats, "records" | "bytesOnDisk" | "oldest">;

interface Received {
  readonly requests: number;
  readonly bytes: number;
  /** Spans, log records, data points that were taken. */
  readonly records: number;
}

export interface SelfFacts {
  readonly losses: Losses;
  /** See `countingSink`. */
  readonly received: Readonly<Record<Signal, Received>>;
  readonly kept: Readonly<Partial<Record<Signal, Kept>>>;
  /** Series of metrics that are active. */
  readonly series: number;
  readonly targets: readonly { readonly fault: string | undefined }[];
  /** Spans, log records and data points that could not be; undefined: nothing is forwarded. */
  readonly notForwarded?: number;
  /** Of the process. Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** Counts what a sink takes; what it refuses is its own to count. */
export function countingSink(sink: Sink): { readonly sink: Sink; readonly received: SelfFacts["received"] } {
  const none = () => ({ requests: 0, bytes: 0, records: 0 });
  const received = { traces: none(), metrics: none(), logs: none() };
  const counted = (signal: Signal) => (request: Uint8Array) => {
    const taken = sink[signal](request);
    const of = received[signal];
    of.requests++;
    of.bytes += request.length;
    of.records += taken.taken;
    return taken;
  };
  return { sink: { traces: counted("traces"), metrics: counted("metrics"), logs: counted("logs") }, received };
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Prometheus' text format 0.0.4. */
export function selfMetrics(facts: SelfFacts): string {
  const { losses, received, kept, series, targets, notForwarded, startedAt } = facts;
  const { user, system } = process.cpuUsage();
  const ofReceived = (value: (of: Received) => number): Sample[] =>
    Object.entries(received).map(([signal, of]) => [{ signal }, value(of)]);
  const ofKept = (value: (of: Kept) => number | undefined): Sample[] =>
    Object.entries(kept).flatMap(([signal, of]): Sample[] => {
      const found = of && value(of);
      return found === undefined ? [] : [[{ signal }, found]];
    });
  const down = targets.filter(({ fault }) => fault !== undefined).length;
  return [
    family(
      "flotilla_telemetry_requests_total",
      "counter",
      "Requests that were taken.",
      ofReceived(({ requests }) => requests),
    ),
    family(
      "flotilla_telemetry_received_bytes_total",
      "counter",
      "Bytes of these requests.",
      ofReceived(({ bytes }) => bytes),
    ),
    family(
      "flotilla_telemetry_received_total",
      "counter",
      "Spans, log records and data points that were taken.",
      ofReceived(({ records }) => records),
    ),
    family(
      "flotilla_telemetry_refused_total",
      "counter",
      "What was refused, dropped or sampled away, and why.",
      losses.list().map(({ signal, reason, count }) => [{ signal, reason }, count]),
    ),
    family(
      "flotilla_telemetry_kept",
      "gauge",
      "Spans, log records and samples that are kept.",
      ofKept(({ records }) => records),
    ),
    family(
      "flotilla_telemetry_disk_bytes",
      "gauge",
      "Bytes of files.",
      ofKept(({ bytesOnDisk }) => bytesOnDisk),
    ),
    family(
      "flotilla_telemetry_oldest_timestamp_seconds",
      "gauge",
      "Time of the oldest that is kept, since the epoch.",
      ofKept(({ oldest }) => (oldest === undefined ? undefined : oldest / 1000)),
    ),
    family("flotilla_telemetry_series", "gauge", "Series of metrics that are active.", [[{}, series]]),
    family("flotilla_telemetry_targets", "gauge", "Targets that are scraped.", [
      [{ state: "up" }, targets.length - down],
      [{ state: "down" }, down],
    ]),
    family(
      "flotilla_telemetry_not_forwarded_total",
      "counter",
      "Spans, log records and data points that could not be forwarded.",
      notForwarded === undefined ? [] : [[{}, notForwarded]],
    ),
    family("process_cpu_seconds_total", "counter", "CPU time used, in seconds.", [[{}, (user + system) / 1e6]]),
    family("process_resident_memory_bytes", "gauge", "Resident memory.", [[{}, process.memoryUsage.rss()]]),
    family("process_start_time_seconds", "gauge", "Start of the process since the epoch.", [[{}, startedAt / 1000]]),
  ].join("");
}

function family(name: string, type: string, help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return "";
  const lines = samples.map(([labels, value]) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

const escaped = (text: string): string =>
  text.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
