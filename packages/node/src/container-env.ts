/**
 * The environment of a container, and what may be wrong with it.
 *
 * Source: kubernetes pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables), pkg/kubelet/envvars.
 */
import {
  type Container,
  type EnvVarSource,
  type Pod,
  parseQuantity,
  type Quantity,
  quantityValue,
  type Service,
} from "@flotilla/objects";
import { expand } from "./expand.ts";
import { otelEnv } from "./otel-env.ts";
import type { PodInputs } from "./pod-inputs.ts";

export interface NodeFacts {
  readonly nodeName: string;
  readonly hostIP: string;
  /** What limits that are not set default to. */
  readonly allocatable: Readonly<Record<string, string>>;
  /** Where containers are told to send their telemetry (OTLP/HTTP): "http://127.0.0.1:4318"; absent: they are told nothing. */
  readonly otlpEndpoint?: string;
}

export type Resolved<T> =
  | { readonly value: T; readonly problem?: undefined }
  | { readonly problem: string; readonly value?: undefined };

class Problem extends Error {}

export function containerEnv(
  pod: Pod,
  container: Container,
  inputs: PodInputs,
  podIP: string,
  node: NodeFacts,
): Resolved<Record<string, string>> {
  const services = serviceEnv(inputs.services);
  const env: Record<string, string> = {};
  const lookUp = (name: string) => env[name] ?? services[name];
  try {
    for (const source of container.envFrom ?? [])
      for (const [key, value] of Object.entries(dataOf(source, inputs))) env[(source.prefix ?? "") + key] = value;
    for (const { name, value, valueFrom } of container.env ?? []) {
      const found = valueFrom
        ? sourceValue(pod, container, valueFrom, inputs, podIP, node)
        : expand(value ?? "", lookUp);
      if (found !== undefined) env[name] = found;
    }
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message };
    throw error;
  }
  const port = container.ports?.[0]?.containerPort;
  return {
    value: {
      HOST: podIP,
      ...(port ? { PORT: String(port) } : {}),
      HOSTNAME: hostnameOf(pod),
      ...services,
      ...env,
      ...(node.otlpEndpoint && otelEnv(pod, container, node.otlpEndpoint, node.nodeName, otelOf(env))),
    },
  };
}

const otelOf = (env: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith("OTEL_")));

export const hostnameOf = (pod: Pod): string => pod.spec.hostname ?? pod.metadata.name.slice(0, 63);

const decoded = (data: Readonly<Record<string, string>> | undefined) =>
  Object.fromEntries(
    Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]),
  );

function dataOf(
  { configMapRef, secretRef }: NonNullable<Container["envFrom"]>[number],
  { configMaps, secrets }: PodInputs,
): Record<string, string> {
  if (configMapRef) {
    const found = configMaps.get(configMapRef.name ?? "");
    if (found) return found.data ?? {};
    if (!configMapRef.optional) throw new Problem(`configmap "${configMapRef.name}" not found`);
  } else if (secretRef) {
    const found = secrets.get(secretRef.name ?? "");
    if (found) return decoded(found.data);
    if (!secretRef.optional) throw new Problem(`secret "${secretRef.name}" not found`);
  }
  return {};
}

function sourceValue(
  pod: Pod,
  container: Container,
  { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef }: EnvVarSource,
  { configMaps, secrets }: PodInputs,
  podIP: string,
  node: NodeFacts,
): string | undefined {
  const { namespace } = pod.metadata;
  if (fieldRef) return podField(pod, fieldRef.fieldPath, podIP, node);
  if (resourceFieldRef) return resourceField(pod, container, resourceFieldRef, node);
  if (configMapKeyRef) {
    const { name = "", key, optional } = configMapKeyRef;
    const found = configMaps.get(name);
    if (!found && !optional) throw new Problem(`configmap "${name}" not found`);
    const value = found?.data?.[key];
    if (found && value === undefined && !optional)
      throw new Problem(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
    return value;
  }
  if (secretKeyRef) {
    const { name = "", key, optional } = secretKeyRef;
    const found = secrets.get(name);
    if (!found && !optional) throw new Problem(`secret "${name}" not found`);
    const value = decoded(found?.data)[key];
    if (found && value === undefined && !optional)
      throw new Problem(`couldn't find key ${key} in Secret ${namespace}/${name}`);
    return value;
  }
  return "";
}

/** What a fieldRef says, in the environment and in downwardAPI volumes. */
export function podField(pod: Pod, path: string, podIP: string, node: NodeFacts): string {
  const subscript = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (subscript) return pod.metadata[subscript[1] as "labels" | "annotations"]?.[subscript[2] as string] ?? "";
  const lines = (map: Readonly<Record<string, string>> = {}) =>
    Object.entries(map)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      .join("\n");
  const fields: Record<string, string | undefined> = {
    "metadata.name": pod.metadata.name,
    "metadata.namespace": pod.metadata.namespace,
    "metadata.uid": pod.metadata.uid,
    "metadata.labels": lines(pod.metadata.labels),
    "metadata.annotations": lines(pod.metadata.annotations),
    "spec.nodeName": node.nodeName,
    "spec.serviceAccountName": pod.spec.serviceAccountName,
    "status.hostIP": node.hostIP,
    "status.hostIPs": node.hostIP,
    "status.podIP": podIP,
    "status.podIPs": podIP,
  };
  const value = fields[path];
  if (value === undefined && !(path in fields)) throw new Problem(`unsupported fieldPath: ${path}`);
  return value ?? "";
}

export function resourceField(
  pod: Pod,
  container: Container,
  { resource, divisor, containerName }: NonNullable<EnvVarSource["resourceFieldRef"]>,
  node: NodeFacts,
): string {
  const named = containerName ? [...(pod.spec.initContainers ?? []), ...pod.spec.containers] : [container];
  const of = named.find(({ name }) => !containerName || name === containerName) ?? container;
  const [kind = "", ...rest] = resource.split(".");
  const name = rest.join(".");
  const limits = of.resources?.limits?.[name];
  const asked = kind === "limits" ? limits : (of.resources?.requests?.[name] ?? limits);
  const quantity = asked ?? (kind === "limits" ? node.allocatable[name] : undefined) ?? "0";
  const { nano } = parseQuantity(quantity);
  const { nano: unit } = parseQuantity(divisor === undefined || parseQuantity(divisor).nano === 0n ? "1" : divisor);
  // Rounded up, as the API does: half a core is one.
  return String((nano + unit - 1n) / unit);
}

/** Source: kubernetes pkg/kubelet/envvars/envvars.go. */
export function serviceEnv(services: readonly Service[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { metadata, spec } of services) {
    const ip = spec?.clusterIP;
    const [first] = spec?.ports ?? [];
    if (!ip || ip === "None" || !first) continue;
    const prefix = metadata.name.toUpperCase().replaceAll("-", "_");
    env[`${prefix}_SERVICE_HOST`] = ip;
    env[`${prefix}_SERVICE_PORT`] = String(first.port);
    for (const { name, port } of spec.ports ?? [])
      if (name) env[`${prefix}_SERVICE_PORT_${name.toUpperCase().replaceAll("-", "_")}`] = String(port);
    env[`${prefix}_PORT`] = `${(first.protocol ?? "TCP").toLowerCase()}://${ip}:${first.port}`;
    for (const { port, protocol = "TCP" } of spec.ports ?? []) {
      const link = `${prefix}_PORT_${port}_${protocol}`;
      env[link] = `${protocol.toLowerCase()}://${ip}:${port}`;
      env[`${link}_PROTO`] = protocol.toLowerCase();
      env[`${link}_PORT`] = String(port);
      env[`${link}_ADDR`] = ip;
    }
  }
  return env;
}

/** Undefined: no such resource set. In whole bytes. */
export const bytesOf = (quantity: Quantity | undefined): number | undefined =>
  quantity === undefined ? undefined : Number(quantityValue(quantity));
