/** Everything that is scraped: pods that ask for it, the node agent, and the process itself. */
import type { Clock } from "@flotilla/ambient";
import { attributesOf } from "../attributes.ts";
import type { Resource } from "../otlp/types.ts";
import { type PodLabels, resourceOf } from "../pod-logs/pod-resource.ts";
import type { Losses, Sink } from "../sink.ts";
import type { Label } from "./exposition.ts";
import type { Fetch } from "./fetch.ts";
import { type LoopOptions, ScrapeLoop, type TargetState } from "./scrape-loop.ts";
import type { ScrapeEffect, ScrapeTarget } from "./targets.ts";

export interface ScraperOptions {
  readonly sink: Pick<Sink, "metrics">;
  readonly clock: Clock;
  readonly losses: Losses;
  readonly fetch: Fetch;
  readonly nodeName: string;
  /** The node agent's API, as `https://` or `http://` and its address. */
  readonly kubelet?: { readonly url: string; readonly token: string };
  /** The text of the process's own metrics. */
  readonly own?: () => string;
  readonly limits?: Partial<ScrapeLimits>;
}

export interface ScrapeLimits {
  /** Of one answer. */
  readonly maxBytes: number;
  readonly maxSamples: number;
  /** Milliseconds; of a shorter interval that. */
  readonly timeout: number;
}

export const defaultScrapeLimits: ScrapeLimits = {
  maxBytes: 10 * 1024 * 1024,
  maxSamples: 50_000,
  timeout: 10_000,
};

/** As often as the agent measures. Milliseconds. */
const kubeletInterval = 10_000;
const ownInterval = 15_000;

export class Scraper {
  readonly #options: ScraperOptions;
  readonly #limits: ScrapeLimits;
  readonly #pods = new Map<string, PodLabels>();
  /** By pod. */
  readonly #loops = new Map<string, { readonly target: ScrapeTarget; readonly loop: ScrapeLoop }>();
  readonly #fixed: ScrapeLoop[] = [];

  /** Begins with the agent and itself at once; pods come by `perform`. */
  constructor(options: ScraperOptions) {
    this.#options = options;
    this.#limits = { ...defaultScrapeLimits, ...options.limits };
    const { kubelet, own, nodeName } = options;
    if (kubelet) this.#fixed.push(this.#kubelet(kubelet));
    if (own) {
      const read = async () => ({ text: own(), contentType: "text/plain" });
      const resource = ownResource(nodeName);
      this.#fixed.push(this.#loop({ key: "telemetry", url: "", interval: ownInterval, resource, read }));
    }
  }

  /** What `scrapeController` decides; give it to the runner as `effects.scrape`. */
  readonly perform = async (effect: unknown): Promise<void> => {
    const { pod, labels, target } = effect as ScrapeEffect;
    if (labels) this.#pods.set(pod, labels);
    else this.#pods.delete(pod);
    const known = this.#loops.get(pod);
    if (known && target && isSame(known.target, target)) return;
    known?.loop.stop();
    this.#loops.delete(pod);
    if (!target) return;
    const { url, key, interval, resource } = target;
    const read = () => this.#fetch(url, interval);
    this.#loops.set(pod, { target, loop: this.#loop({ key, url, interval, resource, read }) });
  };

  targets(): readonly TargetState[] {
    return [...this.#fixed, ...[...this.#loops.values()].map(({ loop }) => loop)].map(({ state }) => state);
  }

  /** All series that were scraped end. */
  stop(): void {
    for (const { loop } of this.#loops.values()) loop.stop();
    for (const loop of this.#fixed) loop.stop();
    this.#loops.clear();
    this.#fixed.length = 0;
  }

  #kubelet({ url, token }: { readonly url: string; readonly token: string }): ScrapeLoop {
    const { nodeName } = this.#options;
    return this.#loop({
      key: `kubelet/${nodeName}`,
      url: `${url}/metrics/resource`,
      interval: kubeletInterval,
      resource: agentResource(nodeName),
      read: () => this.#fetch(`${url}/metrics/resource`, kubeletInterval, token),
      more: (labels) => this.#podLabels(labels),
    });
  }

  /** Of a sample about a pod: whose it is. */
  #podLabels(labels: readonly Label[]): readonly Label[] {
    const values = new Map(labels);
    const pod = values.get("pod");
    const namespace = values.get("namespace");
    if (pod === undefined || namespace === undefined) return [];
    const known = this.#pods.get(`${namespace}/${pod}`);
    // With its guess of the service of a pod that is not known yet.
    const { attributes = [] } = resourceOf({ namespace, pod, uid: "" }, "", this.#options.nodeName, known);
    const of = (key: string) => attributes.find((attribute) => attribute.key === key)?.value?.stringValue ?? "";
    return [
      ["service", of("service.name")],
      ["app", of("service.namespace")],
      ["version", of("service.version")],
    ];
  }

  #fetch(url: string, interval: number, token?: string) {
    const { maxBytes, timeout } = this.#limits;
    return this.#options.fetch({ url, maxBytes, timeout: Math.min(timeout, interval), ...(token && { token }) });
  }

  #loop(of: Pick<LoopOptions, "key" | "url" | "interval" | "resource" | "read" | "more">): ScrapeLoop {
    const { sink, clock, losses } = this.#options;
    return new ScrapeLoop({ ...of, sink, clock, losses, maxSamples: this.#limits.maxSamples });
  }
}

/** Without a namespace, so that its job is "kubelet", which dashboards look for. */
const agentResource = (nodeName: string): Resource => ({
  attributes: attributesOf({
    "service.name": "kubelet",
    "service.instance.id": nodeName,
    "k8s.node.name": nodeName,
  }),
});

const ownResource = (nodeName: string): Resource => ({
  attributes: attributesOf({
    "service.name": "telemetry",
    "service.namespace": "flotilla",
    "service.instance.id": nodeName,
    "k8s.node.name": nodeName,
  }),
});

const isSame = (a: ScrapeTarget, b: ScrapeTarget): boolean =>
  a.key === b.key &&
  a.url === b.url &&
  a.interval === b.interval &&
  JSON.stringify(a.resource) === JSON.stringify(b.resource);
