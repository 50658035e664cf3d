/**
 * Services get their addresses and node ports here. What is taken is read from the Services themselves, so that an address
 * sticks across restarts and is free again once its Service is gone. Source: kubernetes pkg/registry/core/service/storage/alloc.go
 */
import type { Random } from "@flotilla/ambient";
import { invalid, resourceName, type Service, type ServicePort, Services } from "@flotilla/objects";
import { addressNumber, addressText, type Cidr, contains, parseCidr } from "./cidr.ts";
import type { AdmissionStep } from "./request.ts";

const nodePorts = { first: 30000, last: 32767 };
/** Random choices before a scan from a random start. */
const guesses = 16;

export const giveAddresses: AdmissionStep = ({
  parts,
  transaction,
  operation,
  resource,
  subresource,
  object,
  before,
}) => {
  if (resourceName(resource) !== "services" || operation === "DELETE" || subresource) return;
  const service = object as Service;
  const earlier = before as Service | undefined;
  if (earlier) keepAllocated(service, earlier);
  const others = (transaction.list("services") as Service[]).filter(
    ({ metadata }) => metadata.uid !== service.metadata.uid,
  );
  if (needsAddress(service)) {
    const address = clusterIPFor(service, earlier, others, parseCidr(parts.serviceCIDR), parts.random);
    service.spec.clusterIP = address;
    if (!service.spec.clusterIPs?.length) service.spec.clusterIPs = [address];
  }
  if (needsNodePorts(service)) giveNodePorts(service, earlier, others, parts.random);
};

const needsAddress = ({ spec }: Service) => (spec.type ?? "ClusterIP") !== "ExternalName";

const needsNodePorts = ({ spec }: Service) =>
  spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);

/** An update that leaves out what was allocated keeps it; one that no longer needs it lets it go. */
function keepAllocated(service: Service, before: Service): void {
  const { spec } = service;
  const had = before.spec;
  if (needsAddress(service) && needsAddress(before)) {
    if (!spec.clusterIP && !spec.clusterIPs?.[0]) {
      if (had.clusterIP) spec.clusterIP = had.clusterIP;
      if (had.clusterIPs) spec.clusterIPs = [...had.clusterIPs];
    }
  } else if (!needsAddress(service) && spec.clusterIP === had.clusterIP) {
    delete spec.clusterIP;
    delete spec.clusterIPs;
  }
  if (needsNodePorts(service) && needsNodePorts(before)) {
    const ports = new Map(had.ports?.map((port) => [portKey(port), port.nodePort]));
    for (const port of spec.ports ?? []) port.nodePort ||= ports.get(portKey(port));
  } else if (!needsNodePorts(service) && spec.type !== "LoadBalancer") {
    const released = new Set(had.ports?.map(({ nodePort }) => nodePort));
    for (const port of spec.ports ?? []) if (released.has(port.nodePort)) delete port.nodePort;
  }
}

const portKey = ({ protocol, port }: ServicePort) => `${protocol ?? "TCP"} ${port}`;

function clusterIPFor(
  service: Service,
  before: Service | undefined,
  others: readonly Service[],
  range: Cidr,
  random: Random,
): string {
  const { spec } = service;
  const asked = spec.clusterIP || spec.clusterIPs?.[0];
  if (asked === "None") return asked;
  const taken = new Set(others.map((each) => each.spec.clusterIP));
  if (asked) {
    const number = addressNumber(asked);
    // What is no address at all is for validation to say, and so is a change of one.
    if (number === undefined || before?.spec.clusterIP) return asked;
    if (!contains(range, number)) throw refusal("the provided network does not match the current range");
    if (taken.has(asked)) throw refusal("provided IP is already allocated");
    return asked;
  }
  // The first address is the network's own, the last its broadcast.
  const last = range.first + range.size - 2;
  const free = choose(range.first + 1, last, random, (number) => !taken.has(addressText(number)));
  if (free === undefined) throw refusal("range is full");
  return addressText(free);

  function refusal(why: string) {
    const message = `Invalid value: ${JSON.stringify(asked ? [asked] : [])}: failed to allocate IP ${asked ?? ""}: ${why}`;
    return invalid(Services, service.metadata.name, [{ field: "spec.clusterIPs", type: "FieldValueInvalid", message }]);
  }
}

function giveNodePorts(
  service: Service,
  before: Service | undefined,
  others: readonly Service[],
  random: Random,
): void {
  const taken = new Set<string>();
  const id = (protocol: string | undefined, port: number) => `${protocol ?? "TCP"} ${port}`;
  const take = ({ protocol, nodePort }: ServicePort) => nodePort && taken.add(id(protocol, nodePort));
  for (const { spec } of others) for (const port of spec.ports ?? []) take(port);
  const had = new Set(before?.spec.ports?.map(({ protocol, nodePort }) => id(protocol, nodePort ?? 0)));
  service.spec.ports?.forEach((port, index) => {
    const { nodePort, protocol } = port;
    const refusal = (why: string) => {
      const message = `Invalid value: ${nodePort ?? 0}: ${why}`;
      const field = `spec.ports[${index}].nodePort`;
      return invalid(Services, service.metadata.name, [{ field, type: "FieldValueInvalid", message }]);
    };
    if (nodePort) {
      const { first, last } = nodePorts;
      if ((nodePort < first || nodePort > last) && !had.has(id(protocol, nodePort)))
        throw refusal(`provided port is not in the valid range. The range of valid ports is ${first}-${last}`);
      if (taken.has(id(protocol, nodePort))) throw refusal("provided port is already allocated");
    } else {
      const asked = new Set(service.spec.ports?.map((each) => id(each.protocol, each.nodePort ?? 0)));
      const isFree = (number: number) => !taken.has(id(protocol, number)) && !asked.has(id(protocol, number));
      port.nodePort = choose(nodePorts.first, nodePorts.last, random, isFree);
      if (port.nodePort === undefined) throw refusal("range is full");
    }
    take(port);
  });
}

function choose(first: number, last: number, random: Random, isFree: (number: number) => boolean): number | undefined {
  const count = last - first + 1;
  const any = () => first + Math.floor(random.next() * count);
  for (let guess = 0; guess < guesses; guess++) {
    const number = any();
    if (isFree(number)) return number;
  }
  const start = any() - first;
  for (let step = 0; step < count; step++) {
    const number = first + ((start + step) % count);
    if (isFree(number)) return number;
  }
  return undefined;
}
