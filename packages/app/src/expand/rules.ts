/** The objectives of an app as rules of Prometheus: a PrometheusRule where its operator is, else a rule file in a ConfigMap. */
import { ConfigMaps, type KubeObject, newObject, type Resource, type ServiceLevelObjective } from "@flotilla/objects";
import { prometheusRules, type RuleFile } from "@flotilla/telemetry/objectives";
import { yaml } from "../yaml.ts";
import { type Expansion, metadataOf } from "./context.ts";

/** Source: prometheus-operator, API reference of monitoring.coreos.com/v1. */
export const PrometheusRules: Resource = {
  group: "monitoring.coreos.com",
  version: "v1",
  kind: "PrometheusRule",
  plural: "prometheusrules",
  singular: "prometheusrule",
  shortNames: ["promrule"],
  categories: [],
  namespaced: true,
  subresources: [],
};

/** The rule file's name within the ConfigMap. */
const key = "objectives.rules.yaml";

export function rulesOf(expansion: Expansion, objectives: readonly ServiceLevelObjective[]): KubeObject[] {
  if (objectives.length === 0) return [];
  const { app, settings } = expansion;
  const { labels, ...metadata } = metadataOf(
    expansion,
    { name: app.name, component: "service" },
    `${app.name}-objectives`,
  );
  const { "app.kubernetes.io/component": _, "app.kubernetes.io/name": __, ...ofApp } = labels ?? {};
  const named = { ...metadata, labels: ofApp };
  const file = prometheusRules(objectives);
  if (settings.telemetry?.rules === "PrometheusRule")
    return [
      { apiVersion: "monitoring.coreos.com/v1", kind: "PrometheusRule", metadata: named, spec: file } as RuleObject,
    ];
  const text = yaml().stringify(file, { lineWidth: 0, aliasDuplicateObjects: false });
  return [newObject(ConfigMaps, { metadata: named, data: { [key]: text } })];
}

type RuleObject = KubeObject & { spec: RuleFile };
