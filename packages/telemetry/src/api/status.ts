/** What Prometheus tells of itself, its rules and its targets, filled with what is true here. */
import type { SeriesSource } from "../metrics/series.ts";
import { metricName } from "../promql/label-set.ts";
import type { Labels } from "../telemetry.ts";
import { type Answer, ParameterError, type Request, success } from "./answer.ts";
import { always } from "./parameters.ts";

/** Times are RFC 3339, lengths seconds. */
export interface RuleGroup {
  readonly name: string;
  readonly file: string;
  readonly interval: number;
  readonly rules: readonly Rule[];
}

export type Rule = AlertingRule | RecordingRule;

interface RuleBase {
  readonly name: string;
  readonly query: string;
  readonly labels: Labels;
  readonly health: "ok" | "err" | "unknown";
  readonly lastError?: string;
  readonly evaluationTime: number;
  readonly lastEvaluation: string;
}

export interface RecordingRule extends RuleBase {
  readonly type: "recording";
}

export interface AlertingRule extends RuleBase {
  readonly type: "alerting";
  readonly state: "firing" | "pending" | "inactive";
  readonly duration: number;
  readonly keepFiringFor: number;
  readonly annotations: Labels;
  readonly alerts: readonly Alert[];
}

export interface Alert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: "firing" | "pending" | "inactive";
  readonly activeAt?: string;
  readonly value: string;
}

export interface Target {
  readonly discoveredLabels: Labels;
  readonly labels: Labels;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly globalUrl: string;
  /** "" if there was none. */
  readonly lastError: string;
  readonly lastScrape: string;
  readonly lastScrapeDuration: number;
  readonly health: "up" | "down" | "unknown";
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

/** What only the composition knows. */
export interface Facts {
  /** ms since the epoch. */
  readonly startedAt: number;
  /** For people: "15d or 1GiB". */
  readonly retention?: string;
  readonly rules?: () => readonly RuleGroup[];
  readonly targets?: () => readonly Target[];
}

/** Clients choose what they ask for by this. */
const compatibleVersion = "2.42.0";

export function statusRoutes(source: SeriesSource, facts: Facts): Record<string, (request: Request) => Answer> {
  const groups = () => facts.rules?.() ?? [];
  const targets = () => facts.targets?.() ?? [];
  const startTime = new Date(facts.startedAt).toISOString();
  return {
    "status/buildinfo": () =>
      success({
        version: compatibleVersion,
        revision: "",
        branch: "",
        buildUser: "",
        buildDate: "",
        goVersion: "",
        application: "Flotilla",
      }),
    "status/config": () => success({ yaml: "" }),
    "status/flags": () => success({}),
    "status/runtimeinfo": () =>
      success({
        startTime,
        CWD: "",
        reloadConfigSuccess: true,
        lastConfigTime: startTime,
        corruptionCount: 0,
        storageRetention: facts.retention ?? "",
      }),
    "status/tsdb": () => success(tsdbStatus(source)),
    rules: ({ parameters }) => success({ groups: ofType(groups(), parameters.get("type")) }),
    alerts: () =>
      success({
        alerts: groups().flatMap(({ rules }) => rules.flatMap((rule) => (rule.type === "alerting" ? rule.alerts : []))),
      }),
    targets: ({ parameters }) => {
      const state = parameters.get("state") ?? "any";
      return success({ activeTargets: state === "dropped" ? [] : targets(), droppedTargets: [] });
    },
    "targets/metadata": () => success([]),
    scrape_pools: () => success({ scrapePools: [...new Set(targets().map(({ scrapePool }) => scrapePool))] }),
    alertmanagers: () => success({ activeAlertmanagers: [], droppedAlertmanagers: [] }),
  };
}

function ofType(groups: readonly RuleGroup[], asked: string | null): unknown[] {
  const type = (asked ?? "").toLowerCase();
  if (type !== "" && type !== "alert" && type !== "record")
    throw new ParameterError(`invalid parameter "type": not supported value ${JSON.stringify(type)}`);
  return groups.map((group) => ({
    ...group,
    limit: 0,
    evaluationTime: group.rules.reduce((sum, rule) => sum + rule.evaluationTime, 0),
    lastEvaluation:
      group.rules
        .map(({ lastEvaluation }) => lastEvaluation)
        .sort()
        .at(-1) ?? "0001-01-01T00:00:00Z",
    rules: group.rules.filter((rule) => type === "" || rule.type.startsWith(type)),
  }));
}

const mostShown = 10;

function tsdbStatus(source: SeriesSource): object {
  const series = source.series([], always);
  const byMetric = new Map<string, number>();
  const values = new Map<string, Set<string>>();
  const pairs = new Map<string, number>();
  const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const labels of series) {
    count(byMetric, labels[metricName] ?? "");
    for (const [name, value] of Object.entries(labels)) {
      count(pairs, `${name}=${value}`);
      const known = values.get(name) ?? new Set();
      values.set(name, known.add(value));
    }
  }
  const top = (counts: Iterable<[string, number]>) =>
    [...counts]
      .sort(([, a], [, b]) => b - a)
      .slice(0, mostShown)
      .map(([name, value]) => ({ name, value }));
  const valueCounts = [...values].map(([name, set]): [string, number] => [name, set.size]);
  const bytes = [...values].map(([name, set]): [string, number] => [
    name,
    [...set].reduce((sum, value) => sum + value.length, 0),
  ]);
  return {
    headStats: { numSeries: series.length, numLabelPairs: pairs.size, chunkCount: 0, minTime: 0, maxTime: 0 },
    seriesCountByMetricName: top(byMetric),
    labelValueCountByLabelName: top(valueCounts),
    memoryInBytesByLabelName: top(bytes),
    seriesCountByLabelValuePair: top(pairs),
  };
}
