/** Which pods are scraped, and how: pods say it by annotations, in the widespread convention. Pure. */
import type { Controller } from "@flotilla/client";
import { watch } from "@flotilla/client";
import { type Pod, Pods } from "@flotilla/objects";
import type { Resource } from "../otlp/types.ts";
import { labelsOf, type PodLabels, resourceOf } from "../pod-logs/pod-resource.ts";

export interface ScrapeTarget {
  /** The same as long as it is the same pod. */
  readonly key: string;
  readonly url: string;
  /** Milliseconds between scrapes. */
  readonly interval: number;
  readonly resource: Resource;
}

/** What is known of the pod from now on; without `labels` it is gone. */
export interface ScrapeEffect {
  /** "namespace/name" */
  readonly pod: string;
  readonly labels?: PodLabels;
  readonly target?: ScrapeTarget;
}

export const annotations = {
  scrape: "prometheus.io/scrape",
  port: "prometheus.io/port",
  path: "prometheus.io/path",
  scheme: "prometheus.io/scheme",
  interval: "prometheus.io/interval",
} as const;

const defaultInterval = 15_000;
/** A series ends for PromQL after 5 minutes without a sample. */
const longestInterval = 120_000;

class AnnotationError extends Error {}

/** Undefined: it is not to be scraped, or not now. A value that makes no sense is an `AnnotationError`. */
function targetOf(pod: Pod): ScrapeTarget | undefined {
  const { name, namespace = "default", uid = "", annotations: said = {}, deletionTimestamp } = pod.metadata;
  if (said[annotations.scrape] !== "true") return undefined;
  const { port, container } = portOf(pod, said[annotations.port]);
  const scheme = said[annotations.scheme] ?? "http";
  if (scheme !== "http" && scheme !== "https")
    throw new AnnotationError(`${annotations.scheme}: ${JSON.stringify(scheme)} is neither http nor https`);
  const interval = intervalOf(said[annotations.interval]);
  const path = said[annotations.path] ?? "/metrics";
  const address = pod.status?.podIP;
  if (!address || pod.status?.phase !== "Running" || deletionTimestamp) return undefined;
  const host = address.includes(":") ? `[${address}]` : address;
  const resource = resourceOf({ namespace, pod: name, uid }, container ?? "", pod.spec.nodeName ?? "", labelsOf(pod));
  return {
    key: `${namespace}/${name}/${uid}`,
    url: `${scheme}://${host}:${port}${path.startsWith("/") ? "" : "/"}${path}`,
    interval,
    resource: { attributes: resource.attributes?.filter(({ value }) => value?.stringValue !== "") },
  };
}

/** Without the annotation the one that is named for it, or the first. */
function portOf({ spec }: Pod, annotation: string | undefined): { port: number; container: string | undefined } {
  const declared = spec.containers.flatMap(({ name, ports = [] }) =>
    ports.map((port) => ({ ...port, container: name })),
  );
  const only = spec.containers.length === 1 ? spec.containers[0]?.name : undefined;
  if (annotation === undefined) {
    const found = declared.find(({ name }) => name?.includes("metrics")) ?? declared[0];
    if (!found) throw new AnnotationError(`${annotations.port} is needed: the pod's containers declare no port`);
    return { port: found.containerPort, container: found.container };
  }
  const port = Number(annotation);
  if (!/^\d+$/.test(annotation) || port < 1 || port > 65535)
    throw new AnnotationError(`${annotations.port}: ${JSON.stringify(annotation)} is no port from 1 to 65535`);
  return { port, container: declared.find(({ containerPort }) => containerPort === port)?.container ?? only };
}

function intervalOf(annotation: string | undefined): number {
  if (annotation === undefined) return defaultInterval;
  const [, number, unit = ""] = /^(\d+)(ms|s|m)$/.exec(annotation) ?? [];
  const interval = Number(number) * ({ ms: 1, s: 1000, m: 60_000 }[unit] ?? Number.NaN);
  if (!(interval >= 1000 && interval <= longestInterval))
    throw new AnnotationError(`${annotations.interval}: ${JSON.stringify(annotation)} is no time from 1s to 2m`);
  return interval;
}

interface Observed {
  readonly key: string;
  /** Undefined: it is gone. */
  readonly pod: Pod | undefined;
}

/** Wants `effects.scrape`, which is told of every pod what is to be scraped of it. */
export const scrapeController: Controller<Observed> = {
  name: "scrape",
  watches: [watch(Pods)],
  observe: (key, cache) => ({ key: `${key.namespace}/${key.name}`, pod: cache.get(Pods, key) }),
  decide({ key, pod }) {
    const effect = (more: Omit<ScrapeEffect, "pod">) => [{ to: "scrape", do: { pod: key, ...more } }];
    if (!pod) return { effects: effect({}) };
    const labels = labelsOf(pod);
    try {
      const target = targetOf(pod);
      return { effects: effect(target ? { labels, target } : { labels }) };
    } catch (error) {
      if (!(error instanceof AnnotationError)) throw error;
      const event = { about: pod, type: "Warning" as const, reason: "NotScraped", message: error.message };
      return { effects: effect({ labels }), events: [event] };
    }
  },
};
