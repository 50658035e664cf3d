/** What a HorizontalPodAutoscaler may say. Source: kubernetes pkg/apis/autoscaling/validation */
import {
  compareQuantities,
  type FieldError,
  forbiddenField,
  type HorizontalPodAutoscaler,
  type HPAScalingRules,
  invalidValue,
  type MetricIdentifier,
  type MetricSpec,
  type MetricTarget,
  required,
} from "@flotilla/objects";
import { pathSegmentName } from "../../registry/metadata.ts";
import { flat, oneOf, requiredName, selectorMistakes } from "../mistakes.ts";

const longestWindow = 3600;
const longestPeriod = 1800;
const enough = "must be greater than or equal to `minReplicas`";

export function autoscalerMistakes({ spec }: HorizontalPodAutoscaler): FieldError[] {
  const { minReplicas = 1, maxReplicas = 0, metrics, behavior } = spec;
  const mistakes: FieldError[] = [];
  if (minReplicas < 1)
    mistakes.push(invalidValue("spec.minReplicas", minReplicas, "must be greater than or equal to 1"));
  if (maxReplicas < 1) mistakes.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than 0"));
  if (maxReplicas < minReplicas) mistakes.push(invalidValue("spec.maxReplicas", maxReplicas, enough));
  mistakes.push(...targetRefMistakes("spec.scaleTargetRef", spec.scaleTargetRef));
  mistakes.push(...flat(metrics, (metric, i) => metricMistakes(`spec.metrics[${i}]`, metric)));
  if (minReplicas === 0 && !metrics?.some(({ type }) => type === "Object" || type === "External"))
    mistakes.push(
      forbiddenField(
        "spec.metrics",
        "must specify at least one Object or External metric to support scaling to zero replicas",
      ),
    );
  for (const way of ["scaleUp", "scaleDown"] as const) {
    const rules = behavior?.[way];
    if (rules) mistakes.push(...rulesMistakes(`spec.behavior.${way}`, rules));
  }
  return mistakes;
}

interface Reference {
  apiVersion?: string;
  kind?: string;
  name?: string;
}

function targetRefMistakes(path: string, { apiVersion = "", kind, name }: Reference = {}): FieldError[] {
  const mistakes = [
    ...requiredName(`${path}.kind`, kind, pathSegmentName),
    ...requiredName(`${path}.name`, name, pathSegmentName),
  ];
  const core = ["Pod", "ReplicationController"].includes(kind ?? "");
  if (!apiVersion.includes("/") && !core)
    mistakes.push(invalidValue(`${path}.apiVersion`, apiVersion, "apiVersion must specify API group"));
  return mistakes;
}

const sources = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
} as const;

function metricMistakes(path: string, metric: MetricSpec): FieldError[] {
  const { type } = metric;
  if (!type) return [required(`${path}.type`, "must specify a metric source type")];
  const source = (sources as Record<string, (typeof sources)[keyof typeof sources] | undefined>)[type];
  if (!source) {
    const wrong = oneOf(`${path}.type`, type, Object.keys(sources));
    return [...wrong, ...wrong];
  }
  if (!metric[source]) return [required(`${path}.${source}`, "must populate information for the given metric source")];
  const mistakes: FieldError[] = [];
  for (const other of Object.values(sources))
    if (other !== source && metric[other])
      mistakes.push(forbiddenField(`${path}.${other}`, "must populate the given metric source only"));
  const { resource, containerResource, pods, object, external } = metric;
  const at = `${path}.${source}`;
  if (source === "resource" || source === "containerResource") {
    const { name, target } = resource ?? containerResource ?? { name: "", target: { type: "" } };
    if (!name) mistakes.push(required(`${at}.name`, "must specify a resource name"));
    if (containerResource && !containerResource.container)
      mistakes.push(required(`${at}.container`, "must specify a container"));
    mistakes.push(...targetMistakes(`${at}.target`, target));
    mistakes.push(...onlyOne(`${at}.target`, target, "averageUtilization", "target utilization"));
    return mistakes;
  }
  const { metric: which, target } = pods ?? object ?? external ?? {};
  mistakes.push(...identifierMistakes(`${at}.metric`, which), ...targetMistakes(`${at}.target`, target));
  if (object)
    mistakes.push(...targetRefMistakes(`${at}.describedObject`, { apiVersion: "/", ...object.describedObject }));
  if (pods) {
    if (target?.averageValue === undefined)
      mistakes.push(required(`${at}.target.averageValue`, "must specify a positive target averageValue"));
  } else mistakes.push(...onlyOne(`${at}.target`, target, "value", "target value"));
  return mistakes;
}

/** Either the amount a pod, or the other one. */
function onlyOne(
  path: string,
  target: MetricTarget | undefined,
  other: "value" | "averageUtilization",
  name: string,
): FieldError[] {
  if (target?.[other] !== undefined && target.averageValue !== undefined)
    return [
      forbiddenField(
        `${path}.averageValue`,
        other === "value"
          ? "may not set both a target value for metric and a per-pod target"
          : "may not set both a target raw value and a target utilization",
      ),
    ];
  if (target?.[other] !== undefined || target?.averageValue !== undefined) return [];
  return [
    required(
      `${path}.${other === "value" ? "averageValue" : other}`,
      other === "value"
        ? "must set either a target value for metric or a per-pod target"
        : `must set either a target raw value or a ${name}`,
    ),
  ];
}

function identifierMistakes(path: string, metric: MetricIdentifier | undefined): FieldError[] {
  return [
    ...requiredName(`${path}.name`, metric?.name, pathSegmentName),
    ...selectorMistakes(`${path}.selector`, metric?.selector),
  ];
}

function targetMistakes(path: string, target: MetricTarget | undefined): FieldError[] {
  const { type = "", value, averageValue, averageUtilization } = target ?? {};
  const mistakes: FieldError[] = type ? [] : [required(`${path}.type`, "must specify a metric target type")];
  if (!["Utilization", "Value", "AverageValue"].includes(type))
    mistakes.push(invalidValue(`${path}.type`, type, "must be either Utilization, Value, or AverageValue"));
  for (const [field, amount] of Object.entries({ value, averageValue }))
    if (amount !== undefined && compareQuantities(amount, "0") <= 0)
      mistakes.push(invalidValue(`${path}.${field}`, String(amount), "must be positive"));
  if (averageUtilization !== undefined && averageUtilization < 1)
    mistakes.push(invalidValue(`${path}.averageUtilization`, averageUtilization, "must be greater than 0"));
  return mistakes;
}

function rulesMistakes(path: string, rules: HPAScalingRules): FieldError[] {
  const { stabilizationWindowSeconds: window = 0, selectPolicy, policies } = rules;
  const mistakes = oneOf(`${path}.selectPolicy`, selectPolicy, ["Disabled", "Max", "Min"]);
  const at = `${path}.stabilizationWindowSeconds`;
  if (window < 0) mistakes.push(invalidValue(at, window, "must be greater than or equal to zero"));
  if (window > longestWindow) mistakes.push(invalidValue(at, window, `must be less than or equal to ${longestWindow}`));
  if (!policies?.length) mistakes.push(required(`${path}.policies`, "must specify at least one Policy"));
  policies?.forEach(({ type, value = 0, periodSeconds = 0 }, i) => {
    const policy = `${path}.policies[${i}]`;
    mistakes.push(...oneOf(`${policy}.type`, type, ["Percent", "Pods"]));
    if (value <= 0) mistakes.push(invalidValue(`${policy}.value`, value, "must be greater than zero"));
    if (periodSeconds <= 0)
      mistakes.push(invalidValue(`${policy}.periodSeconds`, periodSeconds, "must be greater than zero"));
    if (periodSeconds > longestPeriod)
      mistakes.push(
        invalidValue(`${policy}.periodSeconds`, periodSeconds, `must be less than or equal to ${longestPeriod}`),
      );
  });
  return mistakes;
}
