/**
 * Objects that are served in several versions are stored in one of them: HorizontalPodAutoscalers as autoscaling/v2, Events
 * as core/v1 (events.k8s.io shows the same ones), custom objects in their storage version.
 */
import {
  apiVersionOf,
  Events,
  HorizontalPodAutoscalers,
  type KubeObject,
  type Resource,
  resourceName,
} from "@flotilla/objects";
import { isCustom } from "../custom/custom-resource.ts";

export interface Conversion {
  /** The resource that the objects are stored as. */
  readonly stored: Resource;
  toStored(object: KubeObject): KubeObject;
  fromStored(object: KubeObject): KubeObject;
  /** A field of a selector, in the words of the stored version. */
  field(name: string): string;
}

type Fields = Record<string, unknown>;

/** Undefined for what is stored as it is. */
export function conversionOf(
  resource: Resource,
  find: (group: string, version: string, plural: string) => Resource | undefined,
): Conversion | undefined {
  const name = resourceName(resource);
  if (name === "events.events.k8s.io") return eventConversion(resource);
  if (name === "horizontalpodautoscalers.autoscaling" && resource.version === "v1")
    return autoscalerConversion(resource);
  if (!isCustom(resource) || resource.custom.storedAs === apiVersionOf(resource)) return undefined;
  // Without conversion webhooks, versions differ in their name alone.
  const version = resource.custom.storedAs.slice(resource.group.length + 1);
  const stored = find(resource.group, version, resource.plural);
  if (!stored) return undefined;
  return {
    stored,
    toStored: (object) => ({ ...object, apiVersion: apiVersionOf(stored) }),
    fromStored: (object) => ({ ...object, apiVersion: apiVersionOf(resource) }),
    field: (field) => field,
  };
}

/** Names in events.k8s.io/v1 and in core/v1. Source: kubernetes pkg/apis/events/v1/conversion.go */
const eventFields: readonly (readonly [string, string])[] = [
  ["regarding", "involvedObject"],
  ["note", "message"],
  ["reportingController", "reportingComponent"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
];

function eventConversion(resource: Resource): Conversion {
  const rename = (object: KubeObject, names: ReadonlyMap<string, string>, as: Resource): KubeObject => ({
    ...(Object.fromEntries(
      Object.entries(object).map(([key, value]) => [names.get(key) ?? key, value]),
    ) as unknown as KubeObject),
    apiVersion: apiVersionOf(as),
  });
  const inward = new Map(eventFields);
  const outward = new Map(eventFields.map(([left, right]) => [right, left] as const));
  return {
    stored: Events,
    toStored: (object) => rename(object, inward, Events),
    fromStored: (object) => rename(object, outward, resource),
    field(name) {
      const [first = "", ...rest] = name.split(".");
      return [inward.get(first) ?? first, ...rest].join(".");
    },
  };
}

interface Autoscaler extends KubeObject {
  spec: Fields;
  status?: Fields;
}

interface Metric {
  type: string;
  resource?: {
    name: string;
    target?: { type: string; averageUtilization?: number };
    current?: { averageUtilization?: number };
  };
}

/** Source: kubernetes pkg/apis/autoscaling/v1/conversion.go; what v1 cannot say travels in annotations there. */
const metricsAnnotation = "autoscaling.alpha.kubernetes.io/metrics";
const behaviorAnnotation = "autoscaling.alpha.kubernetes.io/behavior";

const isCpu = ({ type, resource }: Metric) => type === "Resource" && resource?.name === "cpu";

function autoscalerConversion(resource: Resource): Conversion {
  return { stored: HorizontalPodAutoscalers, toStored, fromStored, field: (name) => name };

  function toStored(object: KubeObject): KubeObject {
    const { spec, status: _, metadata, ...rest } = object as Autoscaler;
    const { targetCPUUtilizationPercentage: percentage, ...kept } = spec ?? {};
    const { [metricsAnnotation]: metrics, [behaviorAnnotation]: behavior, ...annotations } = metadata.annotations ?? {};
    const cpu = { name: "cpu", target: { type: "Utilization", averageUtilization: percentage } };
    const all = [
      ...(percentage === undefined ? [] : [{ type: "Resource", resource: cpu }]),
      ...(metrics ? (JSON.parse(metrics) as Metric[]) : []),
    ];
    const stored: Autoscaler = {
      ...rest,
      apiVersion: apiVersionOf(HorizontalPodAutoscalers),
      metadata: { ...metadata, ...(metadata.annotations ? { annotations } : {}) },
      spec: {
        ...kept,
        ...(all.length > 0 ? { metrics: all } : {}),
        ...(behavior ? { behavior: JSON.parse(behavior) } : {}),
      },
    };
    return stored;
  }

  function fromStored(object: KubeObject): KubeObject {
    const { spec, status, metadata, ...rest } = object as Autoscaler;
    const { metrics = [], behavior, ...kept } = spec as Fields & { metrics?: Metric[] };
    const others = metrics.filter((metric) => !isCpu(metric));
    const utilization = metrics.find(isCpu)?.resource?.target?.averageUtilization;
    const { currentMetrics, conditions: _, ...shown } = (status ?? {}) as Fields & { currentMetrics?: Metric[] };
    const current = currentMetrics?.find(isCpu)?.resource?.current?.averageUtilization;
    const annotations = {
      ...metadata.annotations,
      ...(others.length > 0 ? { [metricsAnnotation]: JSON.stringify(others) } : {}),
      ...(behavior ? { [behaviorAnnotation]: JSON.stringify(behavior) } : {}),
    };
    const converted: Autoscaler = {
      ...rest,
      apiVersion: apiVersionOf(resource),
      metadata: { ...metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
      spec: { ...kept, ...(utilization === undefined ? {} : { targetCPUUtilizationPercentage: utilization }) },
      ...(status
        ? { status: { ...shown, ...(current === undefined ? {} : { currentCPUUtilizationPercentage: current }) } }
        : {}),
    };
    return converted;
  }
}
