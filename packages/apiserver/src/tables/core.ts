/** Rows of the small kinds of the core group, and of those that belong nowhere else. Source: kubernetes pkg/printers/internalversion. */
import type {
  APIService,
  ComponentStatus,
  ConfigMap,
  KubeObject,
  Lease,
  Namespace,
  Node,
  PriorityClass,
  ResourceQuota,
  RuntimeClass,
  Scale,
  Secret,
} from "@flotilla/objects";
import { conditionOf } from "./cells.ts";
import { ageColumn, integer, type Printer, printer, text, wide, yesNo } from "./printer.ts";

export const namespacePrinter: Printer<Namespace> = printer(
  text("Status", ({ status }) => status?.phase ?? ""),
  ageColumn,
);

export const configMapPrinter: Printer<ConfigMap> = printer(
  text("Data", ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length),
  ageColumn,
);

export const secretPrinter: Printer<Secret> = printer(
  text("Type", ({ type }) => type ?? ""),
  text("Data", ({ data }) => Object.keys(data ?? {}).length),
  ageColumn,
);

export const nodePrinter: Printer<Node> = printer(
  text("Status", ({ spec, status }) => {
    const ready = conditionOf(status?.conditions, "Ready");
    const state = !ready ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
    return spec?.unschedulable ? `${state},SchedulingDisabled` : state;
  }),
  text("Roles", ({ metadata }) => roles(metadata.labels).join(",") || "<none>"),
  ageColumn,
  text("Version", ({ status }) => status?.nodeInfo?.kubeletVersion ?? ""),
  wide("Internal-IP", (node) => addressOf(node, "InternalIP")),
  wide("External-IP", (node) => addressOf(node, "ExternalIP")),
  wide("OS-Image", ({ status }) => status?.nodeInfo?.osImage || "<unknown>"),
  wide("Kernel-Version", ({ status }) => status?.nodeInfo?.kernelVersion || "<unknown>"),
  wide("Container-Runtime", ({ status }) => status?.nodeInfo?.containerRuntimeVersion || "<unknown>"),
);

const addressOf = ({ status }: Node, type: string): string =>
  status?.addresses?.find((address) => address.type === type)?.address ?? "<none>";

const rolePrefix = "node-role.kubernetes.io/";

function roles(labels: Readonly<Record<string, string>> = {}): string[] {
  const found = Object.entries(labels).flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix)) return [key.slice(rolePrefix.length)];
    return key === "kubernetes.io/role" ? [value] : [];
  });
  return [...new Set(found.filter(Boolean))].sort();
}

export const componentStatusPrinter: Printer<ComponentStatus> = printer(
  text("Status", ({ conditions }) => {
    const healthy = conditionOf(conditions, "Healthy");
    return !healthy ? "Unknown" : healthy.status === "True" ? "Healthy" : "Unhealthy";
  }),
  text("Message", ({ conditions }) => conditionOf(conditions, "Healthy")?.message ?? ""),
  text("Error", ({ conditions }) => conditionOf(conditions, "Healthy")?.error ?? ""),
);

export const resourceQuotaPrinter: Printer<ResourceQuota> = printer(
  text("Request", (quota) => used(quota, (name) => !name.startsWith("limits."))),
  text("Limit", (quota) => used(quota, (name) => name.startsWith("limits."))),
  ageColumn,
);

const used = ({ status }: ResourceQuota, belongs: (name: string) => boolean): string =>
  Object.entries(status?.hard ?? {})
    .filter(([name]) => belongs(name))
    .map(([name, hard]) => `${name}: ${status?.used?.[name] ?? "0"}/${hard}`)
    .sort()
    .join(", ");

export const leasePrinter: Printer<Lease> = printer(
  text("Holder", ({ spec }) => spec?.holderIdentity ?? ""),
  ageColumn,
);

export const priorityClassPrinter: Printer<PriorityClass> = printer(
  integer("Value", ({ value }) => value),
  yesNo("Global-Default", ({ globalDefault }) => globalDefault ?? false),
  ageColumn,
  text("PreemptionPolicy", ({ preemptionPolicy }) => preemptionPolicy ?? ""),
);

export const runtimeClassPrinter: Printer<RuntimeClass> = printer(
  text("Handler", ({ handler }) => handler),
  ageColumn,
);

// Source: kube-aggregator pkg/registry/apiservice/etcd.
export const apiServicePrinter: Printer<APIService> = printer(
  text("Service", ({ spec }) => (spec.service ? `${spec.service.namespace}/${spec.service.name}` : "Local")),
  text("Available", ({ status }) => {
    const available = conditionOf(status?.conditions, "Available");
    if (!available) return "Unknown";
    return available.status === "True" ? "True" : `${available.status} (${available.reason})`;
  }),
  ageColumn,
);

export const scalePrinter: Printer<Scale & KubeObject> = printer(
  integer("Desired", ({ spec }) => spec?.replicas ?? 0),
  integer("Available", ({ status }) => status?.replicas ?? 0),
  ageColumn,
);
