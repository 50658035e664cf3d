/**
 * What a container is told about telemetry: where to send it, and who it is. Programs that know OpenTelemetry, in any language, need
 * no more; Node.js programs get it by the preload.
 *
 * Source: opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables, .../protocol/exporter and .../resource/sdk;
 * resource attributes as opentelemetry.io/docs/specs/semconv/resource/k8s proposes for the labels of applications.
 */
import { type Container, controllerOf, type Pod } from "@flotilla/objects";

type Env = Readonly<Record<string, string>>;

/** `own`: what the container says itself, which stands. Answers all variables of OpenTelemetry to be set. */
export function otelEnv(pod: Pod, container: Container, endpoint: string, nodeName: string, own: Env): Env {
  const attributes = own.OTEL_RESOURCE_ATTRIBUTES ?? "";
  const name = serviceName(pod);
  const destination = {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_METRICS_EXPORTER: "otlp",
  };
  return {
    // Who sends elsewhere has chosen how, too.
    ...(Object.keys(own).some((key) => /^OTEL_EXPORTER_.*ENDPOINT$/.test(key)) ? {} : destination),
    // What is on the same machine need not be spared as a backend far away: what happened is to be seen at once.
    OTEL_BSP_SCHEDULE_DELAY: "500",
    OTEL_BLRP_SCHEDULE_DELAY: "500",
    OTEL_METRIC_EXPORT_INTERVAL: "10000",
    // Quantiles of these are right for any latency; fixed buckets are a guess.
    OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: "base2_exponential_bucket_histogram",
    ...(/(^|,)\s*service\.name\s*=/.test(attributes) ? {} : { OTEL_SERVICE_NAME: name }),
    ...own,
    // Of two with one key the later counts.
    OTEL_RESOURCE_ATTRIBUTES: [encoded(resourceAttributes(pod, container, nodeName)), attributes]
      .filter(Boolean)
      .join(","),
  };
}

function serviceName(pod: Pod): string {
  const { metadata } = pod;
  const label = metadata.labels?.["app.kubernetes.io/name"];
  if (label) return label;
  const owner = controllerOf(pod)?.name;
  const hash = metadata.labels?.["pod-template-hash"];
  return owner ? (hash && owner.endsWith(`-${hash}`) ? owner.slice(0, -hash.length - 1) : owner) : metadata.name;
}

const resourceAttributes = ({ metadata }: Pod, container: Container, nodeName: string) => ({
  "service.namespace": metadata.labels?.["app.kubernetes.io/part-of"],
  "service.version": metadata.labels?.["app.kubernetes.io/version"],
  "service.instance.id": metadata.name,
  "k8s.namespace.name": metadata.namespace,
  "k8s.pod.name": metadata.name,
  "k8s.pod.uid": metadata.uid,
  "k8s.container.name": container.name,
  "k8s.node.name": nodeName,
});

const encoded = (attributes: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(attributes)
    .flatMap(([key, value]) => (value ? [`${key}=${encodeURIComponent(value)}`] : []))
    .join(",");
