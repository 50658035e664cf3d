/** Rows of HorizontalPodAutoscalers. Source: kubernetes pkg/printers/internalversion (formatHPAMetrics). */
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerV1,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from "@flotilla/objects";
import { firstOf } from "./cells.ts";
import { ageColumn, type Printer, printer, text } from "./printer.ts";

const most = 2;

export const autoscalerPrinter: Printer<HorizontalPodAutoscaler> = printer(
  text("Reference", ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`),
  text("Targets", ({ spec, status }) => targets(spec.metrics ?? [], status?.currentMetrics ?? [])),
  text("MinPods", ({ spec }) => String(spec.minReplicas ?? "<unset>")),
  text("MaxPods", ({ spec }) => spec.maxReplicas),
  text("Replicas", ({ status }) => status?.currentReplicas ?? 0),
  ageColumn,
);

export const autoscalerV1Printer: Printer<HorizontalPodAutoscalerV1> = printer(
  text("Reference", ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`),
  text("Targets", ({ spec, status }) => {
    const target = spec.targetCPUUtilizationPercentage;
    if (target === undefined) return "<none>";
    const current = status?.currentCPUUtilizationPercentage;
    return `cpu: ${current === undefined ? "<unknown>" : `${current}%`}/${target}%`;
  }),
  text("MinPods", ({ spec }) => String(spec.minReplicas ?? "<unset>")),
  text("MaxPods", ({ spec }) => spec.maxReplicas),
  text("Replicas", ({ status }) => status?.currentReplicas ?? 0),
  ageColumn,
);

function targets(specs: readonly MetricSpec[], statuses: readonly MetricStatus[]): string {
  if (specs.length === 0) return "<none>";
  return firstOf(
    specs.map((spec, index) => metric(spec, statuses[index])),
    most,
    ", ",
  );
}

function metric(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case "External":
      return plain(spec.external?.target, status?.external?.current);
    case "Object":
      return plain(spec.object?.target, status?.object?.current);
    case "Pods":
      return `${quantity(status?.pods?.current?.averageValue)}/${quantity(spec.pods?.target.averageValue)}`;
    case "Resource":
      return `${spec.resource?.name}: ${usage(spec.resource?.target, status?.resource?.current)}`;
    case "ContainerResource":
      return `${spec.containerResource?.name}: ${usage(spec.containerResource?.target, status?.containerResource?.current)}`;
    default:
      return "<unknown type>";
  }
}

const plain = (target: MetricTarget | undefined, current: MetricValueStatus | undefined): string =>
  target?.averageValue !== undefined
    ? `${quantity(current?.averageValue)}/${target.averageValue} (avg)`
    : `${quantity(current?.value)}/${quantity(target?.value)}`;

function usage(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${quantity(current?.averageValue)}/${target.averageValue}`;
  const now = current?.averageUtilization === undefined ? "<unknown>" : `${current.averageUtilization}%`;
  return `${now}/${target?.averageUtilization === undefined ? "<auto>" : `${target.averageUtilization}%`}`;
}

const quantity = (value: string | number | undefined): string => (value === undefined ? "<unknown>" : String(value));
