/** The row of a Pod; what its STATUS says is decided here. Source: kubernetes pkg/printers/internalversion (printPod). */
import type { ContainerStatus, Pod } from "@flotilla/objects";
import { conditionOf, holds } from "./cells.ts";
import { ageColumn, nameColumn, type Printer, since, text, wide } from "./printer.ts";

interface Summary {
  readonly ready: string;
  readonly status: string;
  readonly restarts: number;
  /** When the last restart happened; "" when none has. */
  readonly lastRestart: string;
}

export const podPrinter: Printer<Pod> = {
  columns: [
    nameColumn,
    text("Ready", (pod) => summarize(pod).ready),
    text("Status", (pod) => summarize(pod).status),
    text("Restarts", (pod, now) => {
      const { restarts, lastRestart } = summarize(pod);
      return restarts > 0 && lastRestart ? `${restarts} (${since(lastRestart, now)} ago)` : String(restarts);
    }),
    ageColumn,
    wide("IP", (pod) => pod.status?.podIPs?.[0]?.ip || "<none>"),
    wide("Node", (pod) => pod.spec.nodeName || "<none>"),
    wide("Nominated Node", (pod) => pod.status?.nominatedNodeName || "<none>"),
    wide("Readiness Gates", readinessGates),
  ],
  conditions(pod) {
    const phase = pod.status?.phase;
    if (phase === "Succeeded")
      return [{ type: "Completed", status: "True", reason: phase, message: "The pod has completed successfully." }];
    if (phase === "Failed") return [{ type: "Completed", status: "True", reason: phase, message: "The pod failed." }];
    return undefined;
  },
};

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  return `${gates.filter((gate) => holds(pod.status?.conditions, gate.conditionType)).length}/${gates.length}`;
}

function summarize(pod: Pod): Summary {
  const init = initSummary(pod);
  let reason = init.reason ?? startingReason(pod);
  let { ready, restarts, lastRestart } = init;

  if (!init.reason || holds(pod.status?.conditions, "Initialized")) {
    restarts = init.sidecarRestarts;
    lastRestart = init.lastSidecarRestart;
    let hasRunning = false;
    for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
      restarts += status.restartCount;
      lastRestart = later(lastRestart, finishedBefore(status));
      const { waiting, terminated, running } = status.state ?? {};
      if (waiting?.reason) reason = waiting.reason;
      else if (terminated) reason = terminated.reason || exitReason(terminated);
      else if (status.ready && running) {
        hasRunning = true;
        ready++;
      }
    }
    if (reason === "Completed" && hasRunning) reason = holds(pod.status?.conditions, "Ready") ? "Running" : "NotReady";
  }

  if (pod.metadata.deletionTimestamp) {
    const phase = pod.status?.phase;
    if (pod.status?.reason === "NodeLost") reason = "Unknown";
    else if (phase !== "Succeeded" && phase !== "Failed") reason = "Terminating";
  }
  const sidecars = (pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === "Always").length;
  return {
    ready: `${ready}/${(pod.spec.containers ?? []).length + sidecars}`,
    status: reason,
    restarts,
    lastRestart,
  };
}

function startingReason(pod: Pod): string {
  if (conditionOf(pod.status?.conditions, "PodScheduled")?.reason === "SchedulingGated") return "SchedulingGated";
  return pod.status?.reason || pod.status?.phase || "";
}

/** How far the init containers are; `reason` only while one of them holds the pod up. */
function initSummary(pod: Pod) {
  const containers = pod.spec.initContainers ?? [];
  const result = { ready: 0, restarts: 0, lastRestart: "", sidecarRestarts: 0, lastSidecarRestart: "" };
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const isSidecar = containers.find((container) => container.name === status.name)?.restartPolicy === "Always";
    result.restarts += status.restartCount;
    result.lastRestart = later(result.lastRestart, finishedBefore(status));
    if (isSidecar) {
      result.sidecarRestarts += status.restartCount;
      result.lastSidecarRestart = later(result.lastSidecarRestart, finishedBefore(status));
    }
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isSidecar && status.started) {
      if (status.ready) result.ready++;
      continue;
    }
    if (terminated) return { ...result, reason: `Init:${terminated.reason || exitReason(terminated)}` };
    const isNamed = waiting?.reason && waiting.reason !== "PodInitializing";
    return { ...result, reason: isNamed ? `Init:${waiting.reason}` : `Init:${index}/${containers.length}` };
  }
  return { ...result, reason: undefined };
}

const exitReason = (terminated: { signal?: number; exitCode: number }): string =>
  terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;

const finishedBefore = (status: ContainerStatus): string => status.lastState?.terminated?.finishedAt ?? "";

const later = (a: string, b: string): string => ((Date.parse(b) || 0) > (Date.parse(a) || 0) ? b : a);
