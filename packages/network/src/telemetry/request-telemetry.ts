/** What is said of each request when it is over: it is counted and timed, and it makes a span if its trace is recorded. */
import type { IncomingMessage } from "node:http";
import type { Clock, Stopwatch } from "@flotilla/ambient";
import type { TablePod } from "../table.ts";
import type { ExponentialHistogram } from "./exponential-histogram.ts";
import { Meter } from "./meter.ts";
import { Passage, type Place } from "./passage.ts";
import { methodOf, type Outcome, spanOf } from "./request-span.ts";
import type { SpanRecord } from "./span-encoder.ts";
import { type Tracing, untraced } from "./tracing.ts";

/** What was answered, by class of status code. */
export interface Count {
  /** "namespace/name"; "" where no service was found. */
  readonly service: string;
  /** "namespace/name" of the HTTPRoute; "" for requests at a Service's own address. */
  readonly route: string;
  /** "2xx", ...; "aborted": the client went before the answer began. */
  readonly code: string;
  readonly requests: number;
}

export interface RequestTelemetryOptions {
  readonly clock: Clock;
  readonly stopwatch: Stopwatch;
  /** Undefined: no spans are made, and what a request brings of a trace goes on unchanged. */
  readonly traces?: {
    readonly tracing: Tracing;
    readonly onSpan: (place: Place, span: SpanRecord) => void;
  };
}

/** Of a client that left before the answer. Source: nginx's log. */
const clientLeft = "499";

const who = ["caller", "service", "app", "version", "namespace", "route"];

export class RequestTelemetry {
  readonly meter: Meter;
  readonly #options: RequestTelemetryOptions;
  readonly #timeline: Timeline;
  #pods: Readonly<Record<string, TablePod>> = {};
  readonly #requests;
  readonly #durations;
  readonly #retries;
  readonly #connects;
  readonly #slow = new WeakMap<ExponentialHistogram, { readonly until: number; readonly from: number }>();

  constructor(options: RequestTelemetryOptions) {
    const { clock, stopwatch } = options;
    this.#options = options;
    this.#timeline = new Timeline(clock, stopwatch);
    this.meter = new Meter(() => clock.now());
    this.#requests = this.meter.counter({
      name: "flotilla.requests",
      unit: "{request}",
      description: "Requests that were answered, or left by their client (code 499).",
      labels: [...who, "method", "code"],
    });
    this.#durations = this.meter.histograms({
      name: "flotilla.request.duration",
      unit: "s",
      description: "From a request's headers to the end of its answer.",
      labels: [...who, "error"],
    });
    this.#retries = this.meter.counter({
      name: "flotilla.retries",
      unit: "{retry}",
      description: "Tries that failed, by whether a connection could not be made or broke before the answer.",
      labels: ["service", "app", "namespace", "reason"],
    });
    this.#connects = this.meter.histograms({
      name: "flotilla.upstream.connect.duration",
      unit: "s",
      description: "Time to connect to an endpoint, where no kept connection was free.",
      labels: ["service", "app", "namespace"],
    });
  }

  /** Who has which address, from now on. */
  pods(pods: Readonly<Record<string, TablePod>>): void {
    this.#pods = pods;
  }

  podAt(address: string | undefined): TablePod | undefined {
    return address === undefined ? undefined : this.#pods[address];
  }

  begin({ headers }: IncomingMessage, place: Place): Passage {
    const { stopwatch, traces } = this.#options;
    return new Passage(stopwatch, place, traces ? traces.tracing.of(headers) : untraced(headers));
  }

  /** Answers with how long it took. Milliseconds. */
  end(passage: Passage, request: IncomingMessage, outcome: Outcome): number {
    const ended = this.#options.stopwatch();
    const { upstream, route, status } = outcome;
    const { place, endpoint, failures, connectTime } = passage;
    const { namespace = "", name = "", app = "" } = upstream ?? {};
    const caller = place === "gateway" ? "gateway" : (this.podAt(request.socket.remoteAddress)?.service ?? "");
    const pod = this.podAt(endpoint?.address);
    const failed = passage.broken || (status ?? 0) >= 500;
    const labels = [caller, name, app, pod?.version ?? "", namespace, route];
    this.#requests.add([...labels, methodOf(request), status === undefined ? clientLeft : String(status)]);
    const seconds = (ended - passage.begun) / 1000;
    const durations = this.#durations.record([...labels, String(failed)], seconds);
    if (connectTime !== undefined) this.#connects.record([name, app, namespace], connectTime / 1000);
    if (failures) for (const { kind } of failures) this.#retries.add([name, app, namespace, kind]);
    const { traces } = this.#options;
    const { records } = passage.trace;
    const isSpan = records === "always" || (records === "remarkable" && (failed || this.#isSlow(durations, seconds)));
    if (traces && isSpan) {
      const times = { begun: passage.begun, ended, toEpoch: this.#timeline.correction() };
      traces.onSpan(place, spanOf(passage, request, outcome, { caller, pod, failed }, times));
    }
    return ended - passage.begun;
  }

  /** Since the start, and without series that were forgotten since. */
  stats(): Count[] {
    const counts = new Map<string, Count>();
    for (const { labels, value } of this.#requests.family.all()) {
      const [, name = "", , , namespace = "", route = "", , code = ""] = labels;
      const service = name && `${namespace}/${name}`;
      const family = code === clientLeft ? "aborted" : `${code[0]}xx`;
      const key = `${service} ${route} ${family}`;
      const requests = (counts.get(key)?.requests ?? 0) + value;
      counts.set(key, { service, route, code: family, requests });
    }
    return [...counts.values()];
  }

  /** Slower than 99 of a hundred like it; before there are a hundred, than a second. */
  #isSlow(durations: ExponentialHistogram, seconds: number): boolean {
    const now = this.#options.clock.now();
    let slow = this.#slow.get(durations);
    if (!slow || now >= slow.until) {
      const from = durations.count < 100 ? 1 : durations.quantile(0.99) * durations.errorFactor;
      slow = { from, until: now + 5000 };
      this.#slow.set(durations, slow);
    }
    return seconds > slow.from;
  }
}

/** The way from a stopwatch's readings to the time of day: set anew when the two have moved apart, as after the machine's sleep. */
class Timeline {
  readonly #clock: Clock;
  readonly #stopwatch: Stopwatch;
  #correction = 0;

  constructor(clock: Clock, stopwatch: Stopwatch) {
    this.#clock = clock;
    this.#stopwatch = stopwatch;
  }

  /** To be added to a reading. Milliseconds. */
  correction(): number {
    const off = this.#clock.now() - this.#stopwatch();
    // A clock of whole milliseconds is never exactly what the stopwatch reads.
    if (Math.abs(off - this.#correction) > 5) this.#correction = off;
    return this.#correction;
  }
}
