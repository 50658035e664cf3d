/**
 * Who may reach a program and whom it may reach: in from callers and, where it has routes, the gateway; out to what it calls
 * and uses, DNS and OTLP; outside of the cluster anywhere until it calls an external, then only to the ports of those.
 * (Plain policies know addresses, not names, so a port is as near as they come to "only this host".)
 */
import { isIP } from "node:net";
import {
  type KubeObject,
  NetworkPolicies,
  type NetworkPolicyEgressRule,
  type NetworkPolicyIngressRule,
  type NetworkPolicyPeer,
  type NetworkPolicyPort,
  newObject,
} from "@flotilla/objects";
import type { App } from "../model/model.ts";
import type { Program, Service } from "../model/service.ts";
import { driverOf } from "./backing/postgres.ts";
import { type Expansion, metadataOf, type Part, selectorLabels } from "./context.ts";
import { calledNames, usedNames } from "./environment-variables.ts";
import { databasePort, portsOf, transport } from "./ports.ts";

const systemNamespace = "flotilla-system";

const inNamespace = (name: string): NetworkPolicyPeer => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
});

const pods = (expansion: Expansion, name: string): NetworkPolicyPeer => ({
  podSelector: { matchLabels: selectorLabels(expansion.app.name, name) },
});

export const dns: NetworkPolicyEgressRule = {
  to: [inNamespace("kube-system")],
  ports: [
    { protocol: "UDP", port: 53 },
    { protocol: "TCP", port: 53 },
  ],
};

const otlpPorts: NetworkPolicyPort[] = [
  { protocol: "TCP", port: 4317 },
  { protocol: "TCP", port: 4318 },
];

/** Everything but the ranges that clusters and clouds use inside. Source: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291. */
const outside: NetworkPolicyPeer[] = [
  {
    ipBlock: {
      cidr: "0.0.0.0/0",
      except: ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"],
    },
  },
  { ipBlock: { cidr: "::/0", except: ["fc00::/7", "fe80::/10"] } },
];

/** Source: Kubernetes DNS-Based Service Discovery: `service.namespace.svc`. */
function collectorPeers(host: string): NetworkPolicyPeer[] {
  const [, namespace, svc] = host.split(".");
  if (namespace === undefined) return [{ podSelector: {} }];
  if (svc === "svc") return [inNamespace(namespace)];
  // Two words are a Service of another namespace as well as a name of the internet.
  return svc === undefined ? [inNamespace(namespace), ...outside] : outside;
}

/** To wherever telemetry is sent. */
function otlp({ settings }: Expansion): NetworkPolicyEgressRule {
  const endpoint = settings.telemetry?.otlp?.endpoint;
  if (endpoint === undefined) return { to: [inNamespace(systemNamespace)], ports: otlpPorts };
  const { hostname, port, protocol } = new URL(endpoint);
  const stated = Number(port || (protocol === "https:" ? 443 : 80));
  const address = hostname.replace(/^\[|\]$/g, "");
  if (isIP(address) !== 0)
    return {
      to: [{ ipBlock: { cidr: `${address}/${isIP(address) === 4 ? 32 : 128}` } }],
      ports: [{ protocol: "TCP", port: stated }],
    };
  const ports = otlpPorts.some((each) => each.port === stated)
    ? otlpPorts
    : [...otlpPorts, { protocol: "TCP" as const, port: stated }];
  return { to: collectorPeers(hostname), ports };
}

const servicePorts = (service: Service): NetworkPolicyPort[] =>
  portsOf(service).map(({ targetPort, protocol }) => ({ protocol: transport(protocol), port: targetPort }));

const programs = (app: App): [string, Program][] => [
  ...Object.entries(app.services),
  ...Object.entries(app.jobs ?? {}),
];

/** Services and jobs that call or use something. */
const callersOf = (app: App, name: string): string[] =>
  programs(app).flatMap(([caller, program]) => (calledNames(program).includes(name) ? [caller] : []));

export const usersOf = (app: App, name: string): string[] =>
  programs(app).flatMap(([user, program]) => (usedNames(program).includes(name) ? [user] : []));

function isRouted(app: App, name: string): boolean {
  if (app.services[name]?.routes?.length) return true;
  return (app.routes ?? []).some(
    (route) => route.mirror === name || route.backends?.some((backend) => backend.service === name),
  );
}

function ingress(expansion: Expansion, name: string, service: Service): NetworkPolicyIngressRule[] {
  const { app } = expansion;
  const from = callersOf(app, name).map((caller) => pods(expansion, caller));
  if (isRouted(app, name)) from.push(inNamespace(systemNamespace));
  const ports = servicePorts(service);
  return from.length > 0 && ports.length > 0 ? [{ from, ports }] : [];
}

function databasePeers(expansion: Expansion, name: string): NetworkPolicyEgressRule {
  const backing = expansion.app.backing?.[name];
  const driver = backing && driverOf(expansion, backing);
  const ports: NetworkPolicyPort[] = [{ protocol: "TCP", port: databasePort }];
  // An external database may be anywhere and on any port.
  if (driver === "external") return {};
  if (driver === "cnpg")
    return { to: [{ podSelector: { matchLabels: { "cnpg.io/cluster": `${name}-postgres` } } }], ports };
  return { to: [pods(expansion, `${name}-postgres`)], ports };
}

function egress(expansion: Expansion, program: Program): NetworkPolicyEgressRule[] {
  const { app } = expansion;
  const called = calledNames(program);
  const rules: NetworkPolicyEgressRule[] = [dns, otlp(expansion)];
  for (const name of called) {
    const service = app.services[name];
    if (service) rules.push({ to: [pods(expansion, name)], ports: servicePorts(service) });
  }
  for (const name of usedNames(program)) rules.push(databasePeers(expansion, name));
  const externals = called.flatMap((name) => app.external?.[name] ?? []);
  if (externals.length === 0) rules.push({ to: outside });
  const ports = [...new Set(externals.map((external) => external.port ?? 443))];
  if (ports.length > 0) rules.push({ to: outside, ports: ports.map((port) => ({ protocol: "TCP" as const, port })) });
  return rules;
}

const policy = (
  expansion: Expansion,
  part: Part,
  rules: { ingress: NetworkPolicyIngressRule[]; egress: NetworkPolicyEgressRule[] },
): KubeObject =>
  newObject(NetworkPolicies, {
    metadata: metadataOf(expansion, part),
    spec: {
      podSelector: { matchLabels: selectorLabels(expansion.app.name, part.name) },
      policyTypes: ["Ingress", "Egress"],
      ...(rules.ingress.length > 0 && { ingress: rules.ingress }),
      egress: rules.egress,
    },
  });

export const networkPolicyOfService = (expansion: Expansion, part: Part, service: Service): KubeObject =>
  policy(expansion, part, {
    ingress: ingress(expansion, part.name, service),
    egress: egress(expansion, service),
  });

export const networkPolicyOfJob = (expansion: Expansion, part: Part, program: Program): KubeObject =>
  policy(expansion, part, { ingress: [], egress: egress(expansion, program) });

/** A database is reached by its users and its migrations, and reaches nobody. */
export function networkPolicyOfDatabase(expansion: Expansion, name: string, part: Part): KubeObject {
  const from = [...usersOf(expansion.app, name), `${name}-migrate`].map((user) => pods(expansion, user));
  return policy(expansion, part, {
    ingress: [{ from, ports: [{ protocol: "TCP", port: databasePort }] }],
    egress: [dns],
  });
}

/** Migrations reach their database. */
export const networkPolicyOfMigration = (expansion: Expansion, name: string, part: Part): KubeObject =>
  policy(expansion, part, { ingress: [], egress: [dns, databasePeers(expansion, name)] });
