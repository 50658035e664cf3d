/** Rows of Services, endpoints, Ingresses and Gateway API kinds. Source: kubernetes pkg/printers/internalversion. */
import type {
  EndpointSlice,
  Endpoints,
  Gateway,
  GatewayClass,
  GRPCRoute,
  HTTPRoute,
  Ingress,
  IngressClass,
  NetworkPolicy,
  Service,
} from "@flotilla/objects";
import { conditionOf, firstOf, labelsCell, selectorCell } from "./cells.ts";
import { ageColumn, type Printer, printer, text, wide } from "./printer.ts";

export const servicePrinter: Printer<Service> = printer(
  text("Type", ({ spec }) => spec.type),
  text("Cluster-IP", ({ spec }) => spec.clusterIPs?.[0] ?? spec.clusterIP ?? "<none>"),
  text("External-IP", externalIPs),
  text("Port(s)", ({ spec }) => {
    const ports = (spec.ports ?? []).map(
      ({ port, nodePort, protocol = "TCP" }) => `${nodePort ? `${port}:${nodePort}` : port}/${protocol}`,
    );
    return ports.join(",") || "<none>";
  }),
  ageColumn,
  wide("Selector", ({ spec }) => labelsCell(spec.selector)),
);

function externalIPs({ spec, status }: Service): string {
  const external = spec.externalIPs ?? [];
  switch (spec.type ?? "ClusterIP") {
    case "ClusterIP":
    case "NodePort":
      return external.join(",") || "<none>";
    case "LoadBalancer":
      return [...balancerAddresses(status?.loadBalancer?.ingress), ...external].join(",") || "<pending>";
    case "ExternalName":
      return spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}

const balancerAddresses = (ingress: readonly { ip?: string; hostname?: string }[] = []): string[] =>
  [...new Set(ingress.map(({ ip, hostname }) => ip || hostname || "").filter(Boolean))].sort();

export const endpointsPrinter: Printer<Endpoints> = printer(
  text("Endpoints", ({ subsets = [] }) => {
    if (subsets.length === 0) return "<none>";
    const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
      ports.length === 0
        ? addresses.map(({ ip }) => ip)
        : ports.flatMap(({ port }) =>
            addresses.map(({ ip }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`)),
          ),
    );
    return firstOf(all, 3);
  }),
  ageColumn,
);

export const endpointSlicePrinter: Printer<EndpointSlice> = printer(
  text("AddressType", ({ addressType }) => addressType),
  text(
    "Ports",
    ({ ports }) =>
      firstOf(
        (ports ?? []).map(({ port, name }) => String(port ?? name ?? "*")),
        3,
      ) || "<unset>",
  ),
  text(
    "Endpoints",
    ({ endpoints }) =>
      firstOf(
        (endpoints ?? []).flatMap(({ addresses }) => addresses ?? []),
        3,
      ) || "<unset>",
  ),
  ageColumn,
);

export const ingressPrinter: Printer<Ingress> = printer(
  text("Class", ({ spec }) => spec.ingressClassName ?? "<none>"),
  text("Hosts", ({ spec }) => {
    const rules = spec.rules ?? [];
    const hosts = rules.slice(0, 3).flatMap(({ host }) => (host ? [host] : []));
    if (hosts.length === 0) return "*";
    return rules.length > 3 ? `${hosts.join(",")} + ${rules.length - 3} more...` : hosts.join(",");
  }),
  text("Address", ({ status }) => balancerAddresses(status?.loadBalancer?.ingress).join(",")),
  text("Ports", ({ spec }) => ((spec.tls ?? []).length > 0 ? "80, 443" : "80")),
  ageColumn,
);

export const ingressClassPrinter: Printer<IngressClass> = printer(
  text("Controller", ({ spec }) => spec.controller),
  text("Parameters", ({ spec }) => {
    const { parameters } = spec;
    if (!parameters) return "<none>";
    return `${parameters.kind}${parameters.apiGroup === undefined ? "" : `.${parameters.apiGroup}`}/${parameters.name}`;
  }),
  ageColumn,
);

export const networkPolicyPrinter: Printer<NetworkPolicy> = printer(
  text("Pod-Selector", ({ spec }) => selectorCell(spec.podSelector)),
  ageColumn,
);

// Source of the columns below: the CustomResourceDefinitions of sigs.k8s.io/gateway-api.
export const gatewayClassPrinter: Printer<GatewayClass> = printer(
  text("Controller", ({ spec }) => spec.controllerName),
  text("Accepted", ({ status }) => conditionOf(status?.conditions, "Accepted")?.status ?? ""),
  ageColumn,
  wide("Description", ({ spec }) => spec.description ?? ""),
);

export const gatewayPrinter: Printer<Gateway> = printer(
  text("Class", ({ spec }) => spec.gatewayClassName),
  text("Address", ({ status }) => (status?.addresses ?? []).map(({ value }) => value).join(" ")),
  text("Programmed", ({ status }) => conditionOf(status?.conditions, "Programmed")?.status ?? ""),
  ageColumn,
);

export const routePrinter: Printer<HTTPRoute | GRPCRoute> = printer(
  text("Hostnames", ({ spec }) => (spec.hostnames ? JSON.stringify(spec.hostnames) : "")),
  ageColumn,
);
