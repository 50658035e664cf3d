/** NetworkPolicies. Source: kubernetes pkg/apis/networking (v1/defaults.go, validation) */
import { BlockList } from "node:net";
import {
  type FieldError,
  forbiddenField,
  type IPBlock,
  invalidValue,
  type NetworkPolicy,
  type NetworkPolicyPeer,
  type NetworkPolicyPort,
  required,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { cidrMistakes, flat, oneOf, portMistakes, selectorMistakes } from "../mistakes.ts";

function portMistakesOf(path: string, { port, endPort, protocol }: NetworkPolicyPort): FieldError[] {
  const mistakes = oneOf(`${path}.protocol`, protocol, ["TCP", "UDP", "SCTP"]);
  if (port !== undefined) mistakes.push(...portMistakes(`${path}.port`, port));
  if (endPort === undefined) return mistakes;
  const at = `${path}.endPort`;
  if (port === undefined) mistakes.push(invalidValue(at, endPort, "may not be specified when `port` is not specified"));
  else if (typeof port === "string")
    mistakes.push(invalidValue(at, endPort, "may not be specified when `port` is non-numeric"));
  else if (endPort < port) mistakes.push(invalidValue(at, port, "must be greater than or equal to `port`"));
  else mistakes.push(...portMistakes(at, endPort));
  return mistakes;
}

function peerMistakes(path: string, { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer): FieldError[] {
  const mistakes = [
    ...selectorMistakes(`${path}.podSelector`, podSelector),
    ...selectorMistakes(`${path}.namespaceSelector`, namespaceSelector),
    ...(ipBlock ? blockMistakes(`${path}.ipBlock`, ipBlock) : []),
  ];
  if (!podSelector && !namespaceSelector && !ipBlock) mistakes.push(required(path, "must specify a peer"));
  else if (ipBlock && (podSelector || namespaceSelector))
    mistakes.push(forbiddenField(path, "may not specify both ipBlock and another peer"));
  return mistakes;
}

function blockMistakes(path: string, { cidr, except }: IPBlock): FieldError[] {
  if (!cidr) return [required(`${path}.cidr`)];
  const wrong = cidrMistakes(`${path}.cidr`, cidr);
  if (wrong.length > 0) return wrong;
  return flat(except, (part, i) => {
    const at = `${path}.except[${i}]`;
    const mistakes = cidrMistakes(at, part);
    if (mistakes.length > 0 || isStrictPart(part, cidr)) return mistakes;
    return [invalidValue(at, part, "must be a strict subset of `cidr`")];
  });
}

const bitsOf = (cidr: string): number => Number(cidr.slice(cidr.indexOf("/") + 1));

/** BlockList matches IPv4 and IPv6 alike. */
function isStrictPart(part: string, whole: string): boolean {
  const [address = "", network = ""] = [part.split("/")[0], whole.split("/")[0]];
  const family = network.includes(":") ? "ipv6" : "ipv4";
  if (address.includes(":") !== (family === "ipv6") || bitsOf(part) <= bitsOf(whole)) return false;
  const block = new BlockList();
  block.addSubnet(network, bitsOf(whole), family);
  return block.check(address, family);
}

export const networkPolicies: KindRules<NetworkPolicy> = {
  defaults({ spec }) {
    if (!spec) return;
    for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
      for (const port of ports ?? []) port.protocol ??= "TCP";
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"];
  },
  validate({ spec }) {
    if (!spec) return [];
    const { ingress, egress, policyTypes = [] } = spec;
    const mistakes = selectorMistakes("spec.podSelector", spec.podSelector);
    ingress?.forEach(({ ports, from }, i) => {
      const at = `spec.ingress[${i}]`;
      mistakes.push(...flat(ports, (port, j) => portMistakesOf(`${at}.ports[${j}]`, port)));
      mistakes.push(...flat(from, (peer, j) => peerMistakes(`${at}.from[${j}]`, peer)));
    });
    egress?.forEach(({ ports, to }, i) => {
      const at = `spec.egress[${i}]`;
      mistakes.push(...flat(ports, (port, j) => portMistakesOf(`${at}.ports[${j}]`, port)));
      mistakes.push(...flat(to, (peer, j) => peerMistakes(`${at}.to[${j}]`, peer)));
    });
    if (policyTypes.length > 2)
      return [...mistakes, invalidValue("spec.policyTypes", policyTypes, "may not specify more than two policyTypes")];
    return [
      ...mistakes,
      ...flat(policyTypes, (type, i) => oneOf(`spec.policyTypes[${i}]`, type, ["Ingress", "Egress"])),
    ];
  },
};
