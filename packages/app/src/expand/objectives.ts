/**
 * What services promise, as ServiceLevelObjectives: on a laptop these objects themselves, which the controllers of package telemetry
 * keep an eye on; elsewhere rules for the Prometheus that is there.
 */
import {
  type KubeObject,
  newObject,
  type ObjectiveAddress,
  type ObjectiveIndicator,
  type ObjectiveReceiver,
  type ServiceLevelObjective,
  type ServiceLevelObjectiveSpec,
  ServiceLevelObjectives,
} from "@flotilla/objects";
import { milliseconds } from "../model/formats.ts";
import type { Names } from "../model/model.ts";
import type { AlertReceiver } from "../model/objectives.ts";
import type { Service } from "../model/service.ts";
import { type Expansion, metadataOf } from "./context.ts";
import { availability, latency, metricNames, success } from "./indicators.ts";

const addressOf = (value: string | { secret: string; key: string }): ObjectiveAddress =>
  typeof value === "string" ? { url: value } : { secret: value.secret, key: value.key };

const receiverOf = ({ name, webhook, alertmanager, slack, severities }: AlertReceiver<Names>): ObjectiveReceiver => ({
  ...(name && { name }),
  ...(webhook && { webhook: addressOf(webhook) }),
  ...(alertmanager && { alertmanager: addressOf(alertmanager) }),
  ...(slack && { slack: addressOf(slack) }),
  ...(severities && { severities: [...severities] }),
});

/** "p95" as "95%": that much is to be faster. */
export const shareOf = (percentile: string): string => `${percentile.slice(1)}%`;

interface Promised {
  /** "availability", "latency-p95": the object's name is the service's and this. */
  readonly name: string;
  readonly target: string;
  readonly indicator: ObjectiveIndicator;
  /** The promise in words. */
  readonly description: string;
}

/**
 * Where one programmer is the traffic, it takes so many bad requests to be told. A share alone says little there: of 99.9% at
 * 6 times too fast, one bad request among 166 is an alert, and at 95% two slow answers of a program that has just started are
 * one. Ten are a share that is right within a third (a count's deviation is its root), whatever the target, and are soon
 * there when something is broken.
 */
const minimumBadOnLaptop = 10;

function promisedBy(expansion: Expansion, name: string, { objectives }: Service): Promised[] {
  if (!objectives) return [];
  const { app, namespace, settings, target } = expansion;
  const measured = { app: app.name, service: name, namespace };
  const names = metricNames(settings.telemetry?.metrics, target === "local" ? "flotilla" : "otel");
  const promised: Promised[] = [];
  if (objectives.availability)
    promised.push({
      name: "availability",
      target: objectives.availability,
      indicator: availability(names, measured),
      description: `${objectives.availability} of requests are answered, and not with 5xx.`,
    });
  for (const [percentile, threshold] of Object.entries(objectives.latency ?? {}))
    promised.push({
      name: `latency-${percentile.replace(".", "-")}`,
      target: shareOf(percentile),
      indicator: latency(names, measured, milliseconds(threshold)),
      description: `${shareOf(percentile)} of answers without error come within ${threshold}.`,
    });
  const { success: succeeds } = objectives;
  if (typeof succeeds === "string")
    promised.push({
      name: "success",
      target: succeeds,
      indicator: success(names, measured),
      description: `${succeeds} of requests are answered with a code below 400.`,
    });
  else if (succeeds) {
    const { target, ...indicator } = succeeds;
    promised.push({ name: "success", target, indicator, description: `${target} of what it does succeeds.` });
  }
  return promised;
}

/** Who is told, where the controllers of the laptop do it, and of how little they are not. */
function alertingOf(
  { settings, target }: Expansion,
  { events }: ObjectiveIndicator,
): Pick<ServiceLevelObjectiveSpec, "alerting"> {
  const alerts = settings.telemetry?.alerts ?? [];
  const alerting = {
    ...(events !== undefined && { minimumBad: minimumBadOnLaptop }),
    ...(alerts.length > 0 && { notify: alerts.map(receiverOf) }),
  };
  return target === "local" && Object.keys(alerting).length > 0 ? { alerting } : {};
}

export function objectivesOfService(expansion: Expansion, name: string, service: Service): ServiceLevelObjective[] {
  const { window, runbook } = service.objectives ?? {};
  return promisedBy(expansion, name, service).map(({ name: what, target, indicator, description }) =>
    newObject(ServiceLevelObjectives, {
      metadata: metadataOf(expansion, { name, component: "service" }, `${name}-${what}`),
      spec: {
        service: name,
        target,
        window: window ?? "30d",
        indicator,
        description,
        ...(runbook && { runbook }),
        ...alertingOf(expansion, indicator),
      },
    }),
  );
}

/** An objective that was written as such, with what this environment says of alerts unless it says so itself. */
export const withReceivers = (expansion: Expansion, object: ServiceLevelObjective): ServiceLevelObjective => {
  const { alerting } = alertingOf(expansion, object.spec.indicator);
  return alerting
    ? { ...object, spec: { ...object.spec, alerting: { ...alerting, ...object.spec.alerting } } }
    : object;
};

export const isObjective = (object: KubeObject): object is ServiceLevelObjective =>
  object.kind === "ServiceLevelObjective" && object.apiVersion === "flotilla.dev/v1alpha1";
