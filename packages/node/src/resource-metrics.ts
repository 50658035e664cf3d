/**
 * The kubelet's metrics about what pods and the machine use, in Prometheus' text format: /metrics/resource, and of /metrics/cadvisor
 * what is known of processes.
 *
 * Source: kubernetes pkg/kubelet/metrics/collectors/resource_metrics.go and cadvisor metrics/prometheus.go, for names and labels.
 */
import { readFileSync } from "node:fs";
import { cpus, freemem, totalmem } from "node:os";
import { bytesOf } from "./container-env.ts";
import type { LocalPod } from "./local-pod.ts";
import type { StaticPodState } from "./static-pods.ts";
import type { Usage } from "./usage.ts";

export interface ResourceFacts {
  readonly nodeName: string;
  readonly pods: readonly LocalPod[];
  readonly staticPods: readonly StaticPodState[];
  /** By the runtime's id. */
  readonly usage: ReadonlyMap<string, Usage>;
  readonly now: number;
  readonly machine: Machine;
}

/** Of the whole machine. */
export interface Machine {
  readonly cpuSeconds: number;
  readonly workingSetBytes: number;
}

export const textFormat = "text/plain; version=0.0.4; charset=utf-8";

interface Container {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly image: string;
  readonly id: string;
  readonly startedAt: number;
  readonly memoryLimit: number;
  readonly usage: Usage | undefined;
}

/** What a counter says must never fall: it remembers what each run and each pod have used so far. */
export class ResourceMetrics {
  readonly #runs = new Map<string, { seen: number; total: number }>();
  readonly #pods = new Map<string, number>();

  resource(facts: ResourceFacts): string {
    const containers = containersOf(facts);
    this.#count(containers);
    const { now, machine } = facts;
    const text = new Text();
    text.family(
      "container_cpu_usage_seconds_total",
      "counter",
      "Cumulative CPU time that the container has used, in core-seconds.",
    );
    for (const of of containers) if (of.usage) text.sample(labelsOf(of), this.#seconds(of), of.usage.at);
    text.family("container_memory_working_set_bytes", "gauge", "Current working set of the container, in bytes.");
    for (const of of containers) if (of.usage) text.sample(labelsOf(of), of.usage.memoryBytes, of.usage.at);
    text.family("container_start_time_seconds", "gauge", "When the container was started, in seconds since the epoch.");
    for (const of of containers) text.sample(labelsOf(of), of.startedAt / 1000);
    text.family(
      "node_cpu_usage_seconds_total",
      "counter",
      "Cumulative CPU time that the node has used, in core-seconds.",
    );
    text.sample({}, machine.cpuSeconds, now);
    text.family("node_memory_working_set_bytes", "gauge", "Current working set of the node, in bytes.");
    text.sample({}, machine.workingSetBytes, now);
    const pods = Map.groupBy(
      containers.filter(({ usage }) => usage),
      podOf,
    );
    const latest = (of: readonly Container[]) => Math.max(...of.map(({ usage }) => usage?.at ?? 0));
    text.family(
      "pod_cpu_usage_seconds_total",
      "counter",
      "Cumulative CPU time that the pod has used, in core-seconds.",
    );
    for (const [key, of] of pods) text.sample(podLabels(of), (this.#pods.get(key) ?? 0) / 1e9, latest(of));
    text.family("pod_memory_working_set_bytes", "gauge", "Current working set of the pod, in bytes.");
    for (const of of pods.values())
      text.sample(
        podLabels(of),
        of.reduce((sum, { usage }) => sum + (usage?.memoryBytes ?? 0), 0),
        latest(of),
      );
    for (const name of ["resource_scrape_error", "scrape_error"]) {
      text.family(name, "gauge", "1 if there was an error while getting container metrics, 0 otherwise.");
      text.sample({}, 0);
    }
    return text.end();
  }

  cadvisor(facts: ResourceFacts): string {
    const all = containersOf(facts);
    this.#count(all);
    const containers = all.filter(({ usage }) => usage);
    const text = new Text();
    const each = (name: string, type: string, help: string, value: (of: Container) => number, more: Labels = {}) => {
      text.family(name, type, help);
      for (const of of containers)
        text.sample(
          { ...labelsOf(of), ...more, id: `/${of.id}`, image: of.image, name: of.id },
          value(of),
          of.usage?.at,
        );
    };
    each(
      "container_cpu_usage_seconds_total",
      "counter",
      "Cumulative CPU time used, in seconds.",
      (of) => this.#seconds(of),
      {
        cpu: "total",
      },
    );
    each("container_memory_rss", "gauge", "Size of RSS, in bytes.", ({ usage }) => usage?.memoryBytes ?? 0);
    each(
      "container_memory_working_set_bytes",
      "gauge",
      "Current working set, in bytes.",
      ({ usage }) => usage?.memoryBytes ?? 0,
    );
    each(
      "container_spec_memory_limit_bytes",
      "gauge",
      "Memory limit of the container, 0: none.",
      ({ memoryLimit }) => memoryLimit,
    );
    each(
      "container_start_time_seconds",
      "gauge",
      "Start time of the container since the epoch, in seconds.",
      ({ startedAt }) => Math.floor(startedAt / 1000),
    );
    return text.end();
  }

  #seconds({ id }: Container): number {
    return (this.#runs.get(id)?.total ?? 0) / 1e9;
  }

  /** A process that ends may take its CPU time with it: what is seen can fall, what was used cannot. */
  #count(containers: readonly Container[]): void {
    for (const container of containers) {
      if (!container.usage) continue;
      const seen = container.usage.cpuNanosecondsTotal;
      const run = this.#runs.get(container.id) ?? { seen: 0, total: 0 };
      const more = Math.max(0, seen - run.seen);
      this.#runs.set(container.id, { seen, total: run.total + more });
      this.#pods.set(podOf(container), (this.#pods.get(podOf(container)) ?? 0) + more);
    }
    forgetOthers(this.#runs, new Set(containers.map(({ id }) => id)));
    forgetOthers(this.#pods, new Set(containers.map(podOf)));
  }
}

function forgetOthers(map: Map<string, unknown>, alive: ReadonlySet<string>): void {
  for (const key of map.keys()) if (!alive.has(key)) map.delete(key);
}

type Labels = Readonly<Record<string, string>>;

const podOf = ({ namespace, pod }: Container): string => `${namespace}/${pod}`;
const labelsOf = ({ container, namespace, pod }: Container): Labels => ({ container, namespace, pod });
const podLabels = ([of]: readonly Container[]): Labels => (of ? { namespace: of.namespace, pod: of.pod } : {});

function containersOf({ pods, staticPods, usage, nodeName }: ResourceFacts): Container[] {
  const ofPods = pods.flatMap(({ pod, containers }) =>
    Object.entries(containers).flatMap(([container, { state }]) => {
      if (state.is !== "running") return [];
      const spec = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === container);
      return {
        namespace: pod.metadata.namespace ?? "",
        pod: pod.metadata.name,
        container,
        image: spec?.image ?? "",
        memoryLimit: bytesOf(spec?.resources?.limits?.memory) ?? 0,
        id: state.id,
        startedAt: state.startedAt,
        usage: usage.get(state.id),
      };
    }),
  );
  // As the API shows them, see `mirror-controller.ts`.
  const ofStatic = staticPods.flatMap(({ name, run }) =>
    run
      ? {
          namespace: "kube-system",
          pod: `${name}-${nodeName}`,
          container: name,
          image: "",
          memoryLimit: 0,
          id: run.id,
          startedAt: run.startedAt,
          usage: usage.get(run.id),
        }
      : [],
  );
  return [...ofPods, ...ofStatic];
}

/** Since the machine's start. Without /proc, memory is all that is not free. */
export function machineUsage(): Machine {
  const cpuSeconds = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000;
  return { cpuSeconds, workingSetBytes: workingSet() };
}

/** What is in use without files that could be read again: as the kubelet's, of the root control group. */
function workingSet(): number {
  let text: string;
  try {
    text = readFileSync("/proc/meminfo", "latin1");
  } catch {
    return totalmem() - freemem();
  }
  const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
  return of("MemTotal") - of("MemFree") - of("Inactive\\(file\\)");
}

class Text {
  readonly #lines: string[] = [];
  #name = "";

  family(name: string, type: string, help: string): void {
    this.#name = name;
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }

  sample(labels: Labels, value: number, at?: number): void {
    const pairs = Object.entries(labels).map(([name, text]) => `${name}="${escaped(text)}"`);
    const braces = pairs.length > 0 ? `{${pairs.join(",")}}` : "";
    this.#lines.push(`${this.#name}${braces} ${value}${at === undefined ? "" : ` ${at}`}`);
  }

  end(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

const escaped = (text: string): string =>
  text.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
