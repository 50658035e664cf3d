/** Services. Addresses and node ports are given by admission. Source: kubernetes pkg/apis/core/v1/defaults.go, pkg/registry/core/service */
import { deepEqual, type Service } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";
import { isExternallyAccessible } from "./service-type.ts";
import { serviceMistakes, serviceUpdateMistakes } from "./service-validation.ts";

/** Seconds. */
const clientIpTimeout = 10800;

function defaultService({ spec, status }: Service): void {
  fill(spec, { sessionAffinity: "None", type: "ClusterIP" });
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  else if (spec.sessionAffinity === "ClientIP")
    if (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined)
      spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: clientIpTimeout } };
  for (const port of spec.ports ?? []) {
    fill(port, { protocol: "TCP" });
    if (!port.targetPort) port.targetPort = port.port;
  }
  if (isExternallyAccessible(spec)) fill(spec, { externalTrafficPolicy: "Cluster" });
  if (spec.type !== "ExternalName") fill(spec, { internalTrafficPolicy: "Cluster" });
  if (spec.type !== "LoadBalancer") return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= "VIP";
}

const isHeadless = ({ clusterIP }: Service["spec"]) => clusterIP === "None";

/** The one family of a cluster that has IPv4 only. */
function chooseFamilies(spec: Service["spec"], before: Service["spec"] | undefined): void {
  const selectorless = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;
  spec.ipFamilyPolicy ??= before?.ipFamilyPolicy ?? (selectorless ? "RequireDualStack" : "SingleStack");
  if (spec.ipFamilies?.length) return;
  if (before?.ipFamilies?.length) spec.ipFamilies = [...before.ipFamilies];
  else if (selectorless && spec.ipFamilyPolicy !== "SingleStack") spec.ipFamilies = ["IPv4", "IPv6"];
  else spec.ipFamilies = [spec.clusterIP?.includes(":") ? "IPv6" : "IPv4"];
}

/** What the new type has no use for goes, unless the client has just said something else for it. */
function dropByType(spec: Service["spec"], before: Service["spec"]): void {
  if (before.type !== "ExternalName" && spec.type === "ExternalName") {
    if (deepEqual(spec.ipFamilies, before.ipFamilies)) delete spec.ipFamilies;
    if (spec.ipFamilyPolicy === before.ipFamilyPolicy) delete spec.ipFamilyPolicy;
  }
  const health = ({ type, externalTrafficPolicy }: Service["spec"]) =>
    type === "LoadBalancer" && externalTrafficPolicy === "Local";
  if (health(before) && !health(spec) && spec.healthCheckNodePort === before.healthCheckNodePort)
    delete spec.healthCheckNodePort;
  if (before.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts)
      delete spec.allocateLoadBalancerNodePorts;
    if (spec.loadBalancerClass === before.loadBalancerClass) delete spec.loadBalancerClass;
  }
  if (isExternallyAccessible(before) && !isExternallyAccessible(spec))
    if (spec.externalTrafficPolicy === before.externalTrafficPolicy) delete spec.externalTrafficPolicy;
}

export const services: KindRules<Service> = {
  defaults: defaultService,
  prepare(service, before) {
    const { spec } = service;
    if (!before) service.status = { loadBalancer: {} };
    else dropByType(spec, before.spec);
    if (spec.type === "ExternalName") {
      delete spec.internalTrafficPolicy;
      return;
    }
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
    chooseFamilies(spec, before?.spec);
  },
  validate: serviceMistakes,
  validateUpdate: serviceUpdateMistakes,
  fields: ({ spec }) => ({ "spec.clusterIP": spec.clusterIP ?? "", "spec.type": spec.type ?? "" }),
};
