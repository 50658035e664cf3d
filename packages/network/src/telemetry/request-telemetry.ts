/** What is said of each request when it is over: it is counted and timed, and it makes a span if its trace is recorded. */
import type { IncomingMessage } from "node:http";
import type { Clock, Stopwatch } from "@flotilla/ambient";
import type { TablePod } from "../table.ts";
import type { Upstream } from "../upstream.ts";
import type { ExponentialHistogram } from "./exponential-histogram.ts";
import { Meter, type Series } from "./meter.ts";
import { Passage, type Place } from "./passage.ts";
import { methodOf, type Outcome, type Sort, shapeOf, spanOf } from "./request-span.ts";
import type { SpanRecord, SpanShape } from "./span-encoder.ts";
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

/** Sorts of requests that are remembered until the next collection of metrics; they are looked through, so they are few. */
const mostKnown = 32;

interface Known {
  readonly sort: Sort;
  readonly requests: Series<number>;
  readonly durations: Series<ExponentialHistogram>;
  readonly shape: SpanShape;
}

const labelsOf = ({ name, app, namespace }: Upstream): string[] => [name, app, namespace];

const who = ["caller", "service", "app", "version", "namespace", "route"];

export class RequestTelemetry {
  readonly meter: Meter;
  readonly #options: RequestTelemetryOptions;
  readonly #timeline: Timeline;
  #pods: Readonly<Record<string, TablePod>> = {};
  readonly #known: Known[] = [];
  #age = 0;
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
    this.#known.length = 0;
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
    const { place, failures, connectTime } = passage;
    const { upstream, status } = outcome;
    const failed = passage.broken || (status ?? 0) >= 500;
    const sort = this.#sortOf(passage, request, outcome, failed);
    const seconds = (ended - passage.begun) / 1000;
    this.#requests.addTo(sort.requests, 1);
    this.#durations.recordIn(sort.durations, seconds);
    if (upstream && connectTime !== undefined) this.#connects.record(labelsOf(upstream), connectTime / 1000);
    if (upstream && failures) for (const { kind } of failures) this.#retries.add([...labelsOf(upstream), kind]);
    const { traces } = this.#options;
    const { records } = passage.trace;
    const slow = () => this.#isSlow(sort.durations.value, seconds);
    if (traces && (records === "always" || (records === "remarkable" && (failed || slow())))) {
      const given = { status, failed, ended, toEpoch: this.#timeline.correction() };
      traces.onSpan(place, spanOf(passage, request.url ?? "", sort.shape, given));
    }
    return ended - passage.begun;
  }

  /** What is looked up and put together once for all requests that differ in nothing but time and path. */
  #sortOf(passage: Passage, request: IncomingMessage, outcome: Outcome, failed: boolean): Known {
    if (this.#age !== this.meter.age) this.#known.length = 0;
    this.#age = this.meter.age;
    const { place, endpoint } = passage;
    const { upstream, route, pattern, status } = outcome;
    const client = request.socket.remoteAddress;
    const method = methodOf(request);
    const { host = "" } = request.headers;
    for (let i = 0; i < this.#known.length; i++) {
      const { sort } = this.#known[i] as Known;
      const same =
        sort.endpoint === endpoint &&
        sort.status === status &&
        sort.method === method &&
        sort.client === client &&
        sort.host === host &&
        sort.pattern === pattern &&
        sort.upstream === upstream &&
        sort.place === place &&
        sort.failed === failed &&
        sort.route === route;
      if (same) return this.#toFront(i);
    }
    const caller = place === "gateway" ? "gateway" : (this.podAt(client)?.service ?? "");
    const pod = this.podAt(endpoint?.address);
    return this.#learn({
      place,
      failed,
      caller,
      client,
      method,
      host,
      upstream,
      endpoint,
      pod,
      route,
      pattern,
      status,
    });
  }

  /** What is asked for often is found at once. */
  #toFront(index: number): Known {
    const found = this.#known[index] as Known;
    if (index > 0) {
      this.#known[index] = this.#known[index - 1] as Known;
      this.#known[index - 1] = found;
    }
    return found;
  }

  #learn(sort: Sort): Known {
    const { caller, upstream, pod, route, method, status, failed } = sort;
    const { name = "", app = "", namespace = "" } = upstream ?? {};
    const labels = [caller, name, app, pod?.version ?? "", namespace, route];
    const code = status === undefined ? clientLeft : String(status);
    const known = {
      sort,
      requests: this.#requests.family.of([...labels, method, code]),
      durations: this.#durations.family.of([...labels, String(failed)]),
      shape: shapeOf(sort),
    };
    if (this.#known.length >= mostKnown) this.#known.pop();
    this.#known.push(known);
    return known;
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
