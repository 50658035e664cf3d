/**
 * Objectives of requests as PromQL: of our data plane's metrics, or of what services measure themselves with OpenTelemetry. What
 * those are called, and how a service's series are found, may be stated.
 *
 * Source: OpenTelemetry semantic conventions 1.x (http.server.request.duration and its buckets), as Prometheus' OTLP translation
 * names them (job is service.namespace/service.name).
 */
import { type ObjectiveIndicator, windowVariable } from "@flotilla/objects";
import { milliseconds } from "../model/formats.ts";
import type { Metrics } from "../model/objectives.ts";

export interface MeasuredService {
  readonly app: string;
  readonly service: string;
  readonly namespace: string;
}

/** All fields but those that a native histogram has no use for. */
type Names = Required<Omit<Metrics, "buckets" | "of">> & {
  readonly of: NonNullable<Metrics["of"]>;
  /** Seconds, ascending. */
  readonly bounds: readonly number[];
};

const openTelemetryBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

const known = {
  otel: {
    histogram: "http_server_request_duration_seconds",
    native: false,
    status: "http_response_status_code",
    match: `job="\${app}/\${service}"`,
  },
  flotilla: {
    histogram: "flotilla_request_duration_seconds",
    native: true,
    status: "code",
    match: `service="\${service}",namespace="\${namespace}"`,
  },
} as const;

/** `usual`: who measures where nothing is stated. */
export function metricNames(stated: Metrics | undefined, usual: "otel" | "flotilla"): Names {
  const { of = usual, buckets, ...names } = stated ?? {};
  const bounds = buckets?.map((bound) => milliseconds(bound) / 1000).sort((left, right) => left - right);
  return { ...known[of], ...names, of, bounds: bounds ?? openTelemetryBounds };
}

const filledIn = (text: string, service: MeasuredService): string =>
  text.replace(/\$\{(app|service|namespace)\}/g, (_, name: keyof MeasuredService) => service[name]);

type Per = "rate" | "increase";

const summed = (per: Per, name: string, matchers: string) => `sum(${per}(${name}{${matchers}}[${windowVariable}]))`;
const rate = (name: string, matchers: string) => summed("rate", name, matchers);

/** How many requests there were, those that `more` selects; a second, or all together. */
function requests(names: Names, service: MeasuredService, more = "", per: Per = "rate"): string {
  const matchers = [filledIn(names.match, service), more].filter(Boolean).join(",");
  // The data plane counts; elsewhere the histogram does.
  if (names.of === "flotilla" && names.histogram === known.flotilla.histogram)
    return summed(per, "flotilla_requests_total", matchers);
  return histogramCount(names, matchers, per);
}

function histogramCount({ native, histogram }: Names, matchers: string, per: Per): string {
  return native ? `histogram_count(${summed(per, histogram, matchers)})` : summed(per, `${histogram}_count`, matchers);
}

/** 5xx, or no answer at all. */
export const availability = (names: Names, service: MeasuredService): ObjectiveIndicator => ({
  bad: requests(names, service, `${names.status}=~"5..|"`),
  total: requests(names, service),
  events: requests(names, service, "", "increase"),
});

/** 4xx as well. */
export const success = (names: Names, service: MeasuredService): ObjectiveIndicator => ({
  bad: requests(names, service, `${names.status}=~"[45]..|"`),
  total: requests(names, service),
  events: requests(names, service, "", "increase"),
});

/** The label's values in Prometheus 2 and 3: "1" and "1.0". */
const le = (bound: number): string => (Number.isInteger(bound) ? `le=~"${bound}(\\\\.0)?"` : `le="${bound}"`);

/**
 * The share of answers without error that took longer than `threshold` (ms). Of classic histograms a threshold between two
 * bounds is interpolated, as Prometheus does for quantiles.
 */
export function latency(names: Names, service: MeasuredService, threshold: number): ObjectiveIndicator {
  const seconds = threshold / 1000;
  const answered = names.of === "flotilla" ? 'error="false"' : `${names.status}!~"5..|"`;
  const matchers = [filledIn(names.match, service), answered].join(",");
  const events = histogramCount(names, matchers, "increase");
  if (names.native)
    return { errorRatio: `1 - histogram_fraction(0, ${seconds}, ${rate(names.histogram, matchers)})`, events };
  const below = (bound: number) => rate(`${names.histogram}_bucket`, `${matchers},${le(bound)}`);
  const upper = names.bounds.find((bound) => bound >= seconds) ?? seconds;
  const lower = names.bounds.findLast((bound) => bound < seconds) ?? 0;
  const share = Number(((seconds - lower) / (upper - lower)).toPrecision(6));
  const good =
    upper === seconds
      ? below(upper)
      : lower === 0
        ? `${share} * ${below(upper)}`
        : `${Number((1 - share).toPrecision(6))} * ${below(lower)} + ${share} * ${below(upper)}`;
  // In one expression: where a bucket is missing there is no answer, not one of no good ones.
  return { errorRatio: `1 - (${good}) / ${rate(`${names.histogram}_count`, matchers)}`, events };
}

/** Whether a threshold (ms) can be told at all: above the last bound nothing is known. */
export const isMeasurable = (names: Names, threshold: number): boolean =>
  names.native || threshold / 1000 <= (names.bounds.at(-1) ?? 0);
