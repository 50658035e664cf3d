// flotilla status: what runs, from which version, how much it uses, where it answers.

import { sleep, systemClock } from "@flotilla/ambient";
import { type Pod, Pods, quantityMilliValue, quantityValue, type Service, Services } from "@flotilla/objects";
import { applicationOf, connect } from "../connect.ts";
import { outputs } from "../last-output.ts";
import { jsonText, printLines } from "../legible.ts";
import { failureLines } from "../progress.ts";
import { type ServiceState, serviceStates } from "../service-state.ts";
import { telemetryLines } from "../telemetry-lines.ts";
import { statusOfTelemetry } from "../telemetry-of.ts";
import { columns, isColoured, LiveLines, painter, type Style, terminal } from "../terminal.ts";

export interface StatusOptions {
  watch?: boolean;
  output?: "json";
}

/** One part of the application; figures are sums over its pods. */
export interface PartStatus extends ServiceState {
  readonly restarts: number;
  /** Thousandths of a core; undefined until it has been measured. */
  readonly cpu?: number;
  /** Bytes. */
  readonly memory?: number;
  /** Where other services reach it. */
  readonly address?: string;
  readonly runtime?: string;
}

export async function status(dir: string, options: StatusOptions): Promise<void> {
  const live = options.watch && process.stdout.isTTY ? new LiveLines(terminal(process.stdout)) : undefined;
  const paint = painter(isColoured(process.stdout));
  for (;;) {
    const { url, parts, telemetry, cluster } = await look(dir);
    if (options.output === "json")
      process.stdout.write(`${jsonText({ url, parts, telemetry }, options.watch ? 0 : 2)}\n`);
    else {
      const failures = parts.filter(
        ({ state, output, message }) => state === "failing" && (output || message?.includes("\n")),
      );
      const lines = [
        ...table(parts, paint),
        ...failures.flatMap((part) => ["", ...failureLines(part)]),
        "",
        `gateway    ${url}`,
        ...telemetryLines(telemetry, cluster.ports, paint),
      ].flatMap((line) => line.split("\n"));
      if (live) live.draw(lines);
      else printLines(process.stdout, lines);
    }
    if (!options.watch) return;
    await sleep(systemClock, 1000);
  }
}

interface PodMetrics {
  metadata: { name: string };
  containers: { usage: Usage }[];
}

interface Usage {
  readonly cpu: string;
  readonly memory: string;
}

async function look(dir: string) {
  const { api, app, cluster } = await applicationOf(dir);
  const namespace = app.metadata.namespace as string;
  const [pods, services, usage, telemetry] = await Promise.all([
    api.list(Pods, { namespace, labelSelector: `app.kubernetes.io/part-of=${app.metadata.name}` }),
    api.list(Services, { namespace }),
    podMetrics(dir, namespace),
    statusOfTelemetry(cluster),
  ]);
  const states = await outputs(api, { namespace, name: app.metadata.name })(serviceStates(app));
  const parts = states.map((state): PartStatus => {
    const own = pods.items.filter((pod) => pod.metadata.labels?.["app.kubernetes.io/name"] === state.name);
    const measured = own.flatMap((pod) => usage.get(pod.metadata.name) ?? []);
    const sum = (of: (usage: Usage) => number) => measured.reduce((total, each) => total + of(each.usage), 0);
    return {
      ...state,
      restarts: own.reduce((total, pod) => total + restarts(pod), 0),
      ...(measured.length > 0 && {
        cpu: sum((usage) => Number(quantityMilliValue(usage.cpu))),
        memory: sum((usage) => Number(quantityValue(usage.memory))),
      }),
      address: address(services.items.find(({ metadata }) => metadata.name === state.name)),
      runtime: runtimeOf(own[0]),
    };
  });
  return { url: `http://localhost:${cluster.ports.gateway}`, parts, telemetry, cluster };
}

/** Empty until the first measurement: a fresh cluster is no error. */
async function podMetrics(dir: string, namespace: string) {
  try {
    const { items } = await connect(dir).json<{ items: PodMetrics[] }>(
      `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`,
    );
    return new Map(items.map(({ metadata, containers }) => [metadata.name, containers]));
  } catch {
    return new Map<string, PodMetrics["containers"]>();
  }
}

const restarts = (pod: Pod) =>
  (pod.status?.containerStatuses ?? []).reduce((total, { restartCount }) => total + restartCount, 0);

function address(service: Service | undefined): string | undefined {
  const port = service?.spec.ports?.[0];
  return port && `${service.spec.clusterIP}:${port.port}`;
}

/** "process", and "plain process" where this machine refuses namespaces. */
function runtimeOf(pod: Pod | undefined): string | undefined {
  const { containerStatuses = [], conditions = [] } = pod?.status ?? {};
  const id = containerStatuses.find(({ containerID }) => containerID)?.containerID ?? "";
  const [runtime] = id.match(/^[a-z-]+(?=:)/) ?? [];
  const confined = conditions.find(({ type }) => type === "flotilla.dev/Confined")?.status !== "False";
  return runtime && (confined ? runtime : `plain ${runtime}`);
}

const styles: Partial<Record<ServiceState["state"], Style>> = {
  ready: "green",
  done: "green",
  failing: "red",
  "left out": "yellow",
};

const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)}Mi`;

export function table(parts: readonly PartStatus[], paint: (style: Style, text: string) => string): string[] {
  const head = ["SERVICE", "STATE", "READY", "VERSION", "RESTARTS", "CPU", "MEMORY", "ADDRESS", "RUNTIME", ""];
  return columns([
    head.map((title) => paint("dim", title)),
    ...parts.map((part) => [
      part.name,
      paint(styles[part.state] ?? "cyan", part.state),
      part.desired === undefined ? "-" : `${part.ready ?? 0}/${part.desired}`,
      part.version ?? "-",
      String(part.restarts),
      part.cpu === undefined ? "-" : `${part.cpu}m`,
      part.memory === undefined ? "-" : mebibytes(part.memory),
      part.address ?? "-",
      part.runtime ?? "-",
      paint("dim", part.message?.split("\n", 1)[0] ?? ""),
    ]),
  ]);
}
