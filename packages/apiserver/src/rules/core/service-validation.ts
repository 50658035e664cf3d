/** What a Service may say. Source: kubernetes pkg/apis/core/validation, pkg/registry/core/service/storage/alloc.go */
import {
  deepEqual,
  dns1123Label,
  dns1123Subdomain,
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  qualifiedName,
  required,
  type Service,
  type ServicePort,
  type ServiceSpec,
} from "@flotilla/objects";
import { cidrMistakes, flat, ipMistakes, labelMistakes, named, oneOf, portMistakes } from "../mistakes.ts";
import { isExternallyAccessible } from "./service-type.ts";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const policies = ["Cluster", "Local"];
const aDay = 86400;

export function serviceMistakes({ spec }: Service): FieldError[] {
  const headless = spec.clusterIP === "None";
  return [
    ...portsMistakes(spec, headless),
    ...typeMistakes(spec, headless),
    ...labelMistakes("spec.selector", spec.selector),
    ...oneOf("spec.type", spec.type, types),
    ...oneOf("spec.sessionAffinity", spec.sessionAffinity, ["ClientIP", "None"]),
    ...affinityMistakes(spec),
    ...flat(spec.externalIPs, (ip, i) => addressMistakes(`spec.externalIPs[${i}]`, ip)),
    ...flat(spec.loadBalancerSourceRanges, (range, i) => cidrMistakes(`spec.LoadBalancerSourceRanges[${i}]`, range)),
    ...externalPolicyMistakes(spec),
    ...oneOf("spec.internalTrafficPolicy", spec.internalTrafficPolicy, policies),
    ...familyMistakes(spec, headless),
    ...oneOf("spec.trafficDistribution", spec.trafficDistribution, ["PreferClose", "PreferSameZone", "PreferSameNode"]),
  ];
}

function typeMistakes(spec: ServiceSpec, headless: boolean): FieldError[] {
  const { type, clusterIP, clusterIPs = [], externalName } = spec;
  if (type !== "ExternalName") {
    if (headless && (type === "NodePort" || type === "LoadBalancer"))
      return [invalidValue("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${type} services`)];
    return clusterIPs.flatMap((ip, i) => (ip === "None" && i === 0 ? [] : ipMistakes(`spec.clusterIPs[${i}]`, ip)));
  }
  const mistakes =
    clusterIP || clusterIPs.length > 0
      ? [forbiddenField("spec.clusterIPs", "may not be set for ExternalName services")]
      : [];
  if (!externalName) return [...mistakes, required("spec.externalName")];
  return [...mistakes, ...named("spec.externalName", externalName.replace(/\.$/, ""), dns1123Subdomain)];
}

function addressMistakes(path: string, ip: string): FieldError[] {
  const wrong = ipMistakes(path, ip);
  if (wrong.length > 0) return wrong;
  if (ip.startsWith("127.") || ip === "::1")
    return [invalidValue(path, ip, "may not be in the loopback range (127.0.0.0/8, ::1/128)")];
  return endpointAddressMistakes(path, ip);
}

/** Kubernetes refuses loopback addresses here, too. An embedded cluster has one node and lives on them. */
export function endpointAddressMistakes(path: string, ip: string): FieldError[] {
  const refuse = (why: string) => [invalidValue(path, ip, why)];
  if (ip === "0.0.0.0" || ip === "::") return refuse("may not be unspecified (0.0.0.0 or ::)");
  if (ip.startsWith("169.254.") || /^fe[89ab]/i.test(ip))
    return refuse("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  if (/^224\.0\.0\./.test(ip) || /^ff02/i.test(ip))
    return refuse("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  return [];
}

function affinityMistakes({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] {
  if (sessionAffinity !== "ClientIP") return [];
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0;
  if (seconds > 0 && seconds <= aDay) return [];
  const path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
  return [invalidValue(path, seconds, `must be greater than 0 and less than ${aDay}`)];
}

function externalPolicyMistakes(spec: ServiceSpec): FieldError[] {
  const { externalTrafficPolicy: policy } = spec;
  const path = "spec.externalTrafficPolicy";
  if (isExternallyAccessible(spec)) return policy ? oneOf(path, policy, policies) : [required(path)];
  return policy ? [invalidValue(path, policy, "may only be set for externally-accessible services")] : [];
}

/** The cluster has IPv4 only; a headless Service without a selector may still name both families. */
function familyMistakes(spec: ServiceSpec, headless: boolean): FieldError[] {
  if (spec.type === "ExternalName") return [];
  const { ipFamilies = [], ipFamilyPolicy, selector } = spec;
  const mistakes = [
    ...flat(ipFamilies, (family, i) => oneOf(`spec.ipFamilies[${i}]`, family, ["IPv4", "IPv6"])),
    ...oneOf("spec.ipFamilyPolicy", ipFamilyPolicy, ["PreferDualStack", "RequireDualStack", "SingleStack"]),
  ];
  if (mistakes.length > 0 || (headless && Object.keys(selector ?? {}).length === 0)) return mistakes;
  if (ipFamilyPolicy === "RequireDualStack")
    mistakes.push(
      invalidValue("spec.ipFamilyPolicy", ipFamilyPolicy, "this cluster is not configured for dual-stack services"),
    );
  ipFamilies.forEach((family, i) => {
    if (family === "IPv6")
      mistakes.push(invalidValue(`spec.ipFamilies[${i}]`, family, "not configured on this cluster"));
  });
  return mistakes;
}

function portsMistakes({ ports = [], type }: ServiceSpec, headless: boolean): FieldError[] {
  const mistakes: FieldError[] = [];
  if (ports.length === 0 && !headless && type !== "ExternalName") mistakes.push(required("spec.ports"));
  const names = new Set<string>();
  const taken = new Set<string>();
  ports.forEach((port, i) => {
    const at = `spec.ports[${i}]`;
    mistakes.push(...nameMistakes(`${at}.name`, port, ports.length > 1, names));
    mistakes.push(...portMistakes(`${at}.port`, port.port));
    mistakes.push(...oneOf(`${at}.protocol`, port.protocol, ["SCTP", "TCP", "UDP"]));
    mistakes.push(...portMistakes(`${at}.targetPort`, port.targetPort));
    if (port.appProtocol) mistakes.push(...named(`${at}.appProtocol`, port.appProtocol, qualifiedName));
    if (port.nodePort && type !== "NodePort" && type !== "LoadBalancer")
      mistakes.push(forbiddenField(`${at}.nodePort`, `may not be used when \`type\` is '${type}'`));
    const key = `${port.protocol} ${port.port}`;
    if (taken.has(key)) mistakes.push(duplicate(at, { protocol: port.protocol, port: port.port }));
    taken.add(key);
  });
  return mistakes;
}

function nameMistakes(path: string, { name }: ServicePort, needed: boolean, names: Set<string>): FieldError[] {
  if (!name) return needed ? [required(path)] : [];
  const mistakes = named(path, name, dns1123Label);
  if (names.has(name)) mistakes.push(duplicate(path, name));
  names.add(name);
  return mistakes;
}

export function serviceUpdateMistakes({ spec }: Service, { spec: before }: Service): FieldError[] {
  if (spec.type === "ExternalName" || before.type === "ExternalName") return [];
  const [now, then] = [spec.clusterIPs ?? [], before.clusterIPs ?? []];
  if (then[0] === undefined || deepEqual(now[0], then[0])) return [];
  return [invalidValue("spec.clusterIPs[0]", now, "may not change once set")];
}
