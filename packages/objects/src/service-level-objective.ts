/**
 * The kind ServiceLevelObjective: what is promised to the users of a service over a window, as Prometheus queries, and what came
 * of it. What its texts mean is here too, for everybody who reads one.
 */
import type { Condition } from "./generated/types.ts";
import type { KubeObject, Resource } from "./resource.ts";
import type { TypeTable } from "./schema.ts";

/**
 * What is measured, as PromQL in which `$window` stands for the range: `errorRatio` alone, or `total` with one of `good` and
 * `bad`. Each query gives one series at most; none of `total` or `errorRatio` is missing data, none of the others is 0.
 */
export interface ObjectiveIndicator {
  errorRatio?: string;
  good?: string;
  bad?: string;
  total?: string;
  /** How many there were in the window, not how many a second: `sum(increase(requests_total[$window]))`. For `minimumBad`. */
  events?: string;
}

/** Alerts when the budget burns faster than `factor` in the long window and in the short one. */
export interface BurnRatePolicy {
  severity: string;
  /** "1h". */
  long: string;
  /** "5m". Absent: the long one alone. */
  short?: string;
  /** How many times faster than what would just last for the objective's window. One of `factor` and `budget`. */
  factor?: number;
  /** The share of the budget that is gone when the long window is full: "2%". */
  budget?: string;
  /** How long it must hold before it alerts. Default: not at all. */
  for?: string;
}

/** A URL, or where one is kept: they often are secrets. */
export interface ObjectiveAddress {
  url?: string;
  secret?: string;
  key?: string;
}

/** Who is told of alerts: exactly one of the addresses. */
export interface ObjectiveReceiver {
  /** Default: its kind. */
  name?: string;
  /** Gets what Alertmanager sends to webhooks. */
  webhook?: ObjectiveAddress;
  /** An Alertmanager; its API takes the alerts, and it does the rest. */
  alertmanager?: ObjectiveAddress;
  /** An incoming webhook of Slack. */
  slack?: ObjectiveAddress;
  /** Default: all. */
  severities?: string[];
}

export interface ObjectiveAlerting {
  /** Default: the SRE workbook's four, scaled to the window. An empty list: none. */
  policies?: BurnRatePolicy[];
  /**
   * How many of the events in a policy's long window must be bad before it alerts, and in the objective's window before its
   * budget counts as exhausted: where there is little traffic, a single one is a large share. Needs `indicator.events`.
   * Default: none. Source: Google's SRE workbook, "Alerting on SLOs", on low-traffic services.
   */
  minimumBad?: number;
  notify?: ObjectiveReceiver[];
  /** How often a receiver is told again of what goes on. Default: "4h". */
  repeat?: string;
  /** Whether receivers are told of the end. Default: true. */
  resolved?: boolean;
}

export interface ServiceLevelObjectiveSpec {
  /** The service that promises. */
  service: string;
  /** "99.9%": how much of what is asked of it is to be good. */
  target: string;
  /** Rolling, "5m" to "90d". Default: "30d". */
  window?: string;
  indicator: ObjectiveIndicator;
  description?: string;
  /** The address of a page that says what to do. */
  runbook?: string;
  /** Of its alerts and recorded series. */
  labels?: Record<string, string>;
  alerting?: ObjectiveAlerting;
}

export interface ObjectiveAlert {
  severity: string;
  state: "Pending" | "Firing" | "Resolved";
  /** When it began to hold. */
  since: string;
  firedAt?: string;
  resolvedAt?: string;
  /** Windows in which the budget burns too fast: "1h/5m". */
  windows?: string[];
  /** The fastest among their long windows. */
  burnRate?: number;
  message?: string;
  /** When there was data last. */
  lastData?: string;
  /** By receiver: the last that it was told. */
  notified?: Record<string, ObjectiveNotice>;
}

export interface ObjectiveNotice {
  state: "Firing" | "Resolved";
  at: string;
}

export interface ErrorBudget {
  /** Of all that is asked: 0.001 of "99.9%". */
  ratio: number;
  /** The same as time of nothing but errors: "43m12s". */
  time: string;
  /** Share that is left; below 0 when more than all is gone. */
  remaining: number;
  remainingTime: string;
}

export interface ServiceLevelObjectiveStatus {
  observedGeneration?: number;
  lastEvaluated?: string;
  /** What was good in the window, in percent: "99.95%". */
  current?: string;
  errorBudget?: ErrorBudget;
  /** By window: 1 just lasts. */
  burnRates?: Record<string, number>;
  conditions?: Condition[];
  alerts?: ObjectiveAlert[];
}

export interface ServiceLevelObjective extends KubeObject {
  spec: ServiceLevelObjectiveSpec;
  status?: ServiceLevelObjectiveStatus;
}

export const ServiceLevelObjectives: Resource<ServiceLevelObjective> = {
  group: "flotilla.dev",
  version: "v1alpha1",
  kind: "ServiceLevelObjective",
  plural: "servicelevelobjectives",
  singular: "servicelevelobjective",
  shortNames: ["slo"],
  categories: [],
  namespaced: true,
  subresources: ["status"],
  type: "flotilla.dev/v1alpha1.ServiceLevelObjective",
};

const strings = { map: "string" } as const;
const named = (name: string) => ({ ref: `flotilla.dev/v1alpha1.${name}` });

export const objectiveTypes: TypeTable = {
  "flotilla.dev/v1alpha1.ServiceLevelObjective": {
    fields: {
      kind: { type: "string" },
      apiVersion: { type: "string" },
      metadata: { type: { ref: "meta/v1.ObjectMeta" } },
      spec: { type: named("ServiceLevelObjectiveSpec"), required: true },
      status: { type: named("ServiceLevelObjectiveStatus") },
    },
  },
  "flotilla.dev/v1alpha1.ServiceLevelObjectiveSpec": {
    fields: {
      service: { type: "string", required: true },
      target: { type: "string", required: true },
      window: { type: "string" },
      indicator: { type: named("ObjectiveIndicator"), required: true },
      description: { type: "string" },
      runbook: { type: "string" },
      labels: { type: strings },
      alerting: { type: named("ObjectiveAlerting") },
    },
  },
  // One way to measure replaces another whole.
  "flotilla.dev/v1alpha1.ObjectiveIndicator": {
    atomic: true,
    fields: {
      errorRatio: { type: "string" },
      good: { type: "string" },
      bad: { type: "string" },
      total: { type: "string" },
      events: { type: "string" },
    },
  },
  "flotilla.dev/v1alpha1.ObjectiveAlerting": {
    fields: {
      policies: { type: { list: named("BurnRatePolicy") }, listType: "atomic" },
      minimumBad: { type: "int32" },
      notify: { type: { list: named("ObjectiveReceiver") }, listType: "atomic" },
      repeat: { type: "string" },
      resolved: { type: "boolean" },
    },
  },
  "flotilla.dev/v1alpha1.BurnRatePolicy": {
    fields: {
      severity: { type: "string", required: true },
      long: { type: "string", required: true },
      short: { type: "string" },
      factor: { type: "double" },
      budget: { type: "string" },
      for: { type: "string" },
    },
  },
  "flotilla.dev/v1alpha1.ObjectiveReceiver": {
    fields: {
      name: { type: "string" },
      webhook: { type: named("ObjectiveAddress") },
      alertmanager: { type: named("ObjectiveAddress") },
      slack: { type: named("ObjectiveAddress") },
      severities: { type: { list: "string" }, listType: "set" },
    },
  },
  "flotilla.dev/v1alpha1.ObjectiveAddress": {
    fields: { url: { type: "string" }, secret: { type: "string" }, key: { type: "string" } },
  },
  "flotilla.dev/v1alpha1.ServiceLevelObjectiveStatus": {
    fields: {
      observedGeneration: { type: "int64" },
      lastEvaluated: { type: "Time" },
      current: { type: "string" },
      errorBudget: { type: named("ErrorBudget") },
      burnRates: { type: { map: "double" } },
      conditions: {
        type: { list: { ref: "meta/v1.Condition" } },
        listType: "map",
        listMapKeys: ["type"],
        patchStrategy: "merge",
        patchMergeKey: "type",
      },
      alerts: { type: { list: named("ObjectiveAlert") }, listType: "map", listMapKeys: ["severity"] },
    },
  },
  "flotilla.dev/v1alpha1.ErrorBudget": {
    fields: {
      ratio: { type: "double", required: true },
      time: { type: "string", required: true },
      remaining: { type: "double", required: true },
      remainingTime: { type: "string", required: true },
    },
  },
  "flotilla.dev/v1alpha1.ObjectiveAlert": {
    fields: {
      severity: { type: "string", required: true },
      state: { type: "string", required: true, enum: ["Pending", "Firing", "Resolved"] },
      since: { type: "Time", required: true },
      firedAt: { type: "Time" },
      resolvedAt: { type: "Time" },
      windows: { type: { list: "string" }, listType: "atomic" },
      burnRate: { type: "double" },
      message: { type: "string" },
      lastData: { type: "Time" },
      notified: { type: { map: named("ObjectiveNotice") } },
    },
  },
  "flotilla.dev/v1alpha1.ObjectiveNotice": {
    fields: {
      state: { type: "string", required: true, enum: ["Firing", "Resolved"] },
      at: { type: "Time", required: true },
    },
  },
};
