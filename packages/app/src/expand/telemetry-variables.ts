/**
 * What tells a program's OpenTelemetry where to send, and who it is. On a laptop the node agent says it, to every process alike.
 *
 * Source: OpenTelemetry specification, environment variables of SDKs and of the OTLP exporter; semantic conventions k8s.*.
 */
import type { EnvVar } from "@flotilla/objects";
import type { Expansion, Part } from "./context.ts";

/** Variables that resource attributes refer to: what only the cluster knows of a pod. */
const ofThePod = [
  ["OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "metadata.name"],
  ["OTEL_RESOURCE_ATTRIBUTES_POD_UID", "metadata.uid"],
  ["OTEL_RESOURCE_ATTRIBUTES_NODE_NAME", "spec.nodeName"],
] as const;

export function telemetryVariables({ app, namespace, settings, target }: Expansion, part: Part): EnvVar[] {
  const otlp = settings.telemetry?.otlp;
  if (!otlp || target === "local") return [];
  const attributes = {
    "service.namespace": app.name,
    ...(part.version && { "service.version": part.version }),
    "service.instance.id": "$(OTEL_RESOURCE_ATTRIBUTES_POD_NAME)",
    "k8s.namespace.name": namespace,
    "k8s.pod.name": "$(OTEL_RESOURCE_ATTRIBUTES_POD_NAME)",
    "k8s.pod.uid": "$(OTEL_RESOURCE_ATTRIBUTES_POD_UID)",
    "k8s.container.name": part.name,
    "k8s.node.name": "$(OTEL_RESOURCE_ATTRIBUTES_NODE_NAME)",
  };
  return [
    { name: "OTEL_SERVICE_NAME", value: part.name },
    ...ofThePod.map(([name, fieldPath]) => ({ name, valueFrom: { fieldRef: { fieldPath } } })),
    {
      name: "OTEL_RESOURCE_ATTRIBUTES",
      value: Object.entries(attributes)
        .map(([name, value]) => `${name}=${value}`)
        .join(","),
    },
    { name: "OTEL_EXPORTER_OTLP_ENDPOINT", value: otlp.endpoint },
    { name: "OTEL_EXPORTER_OTLP_PROTOCOL", value: otlp.protocol ?? "http/protobuf" },
    ...(otlp.headers
      ? [
          {
            name: "OTEL_EXPORTER_OTLP_HEADERS",
            valueFrom: { secretKeyRef: { name: String(otlp.headers.secret), key: otlp.headers.key } },
          },
        ]
      : []),
  ];
}
