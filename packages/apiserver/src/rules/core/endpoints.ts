/** Endpoints and EndpointSlices. Source: kubernetes pkg/apis/core and pkg/apis/discovery (v1/defaults.go, validation) */
import {
  deepEqual,
  dns1123Label,
  dns1123Subdomain,
  duplicate,
  type EndpointSlice,
  type Endpoints,
  type FieldError,
  invalidValue,
  qualifiedName,
  required,
  tooMany,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";
import { flat, immutable, ipMistakes, isIP, named, oneOf, portMistakes } from "../mistakes.ts";
import { endpointAddressMistakes } from "./service-validation.ts";

export const endpoints: KindRules<Endpoints> = {
  defaults({ subsets }) {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) fill(port, { protocol: "TCP" });
  },
  validate: ({ subsets }) =>
    flat(subsets, ({ addresses = [], notReadyAddresses = [], ports = [] }, i) => {
      const at = `subsets[${i}]`;
      if (addresses.length + notReadyAddresses.length === 0)
        return [required(at, "must specify `addresses` or `notReadyAddresses`")];
      const each = (list: string, items: typeof addresses) =>
        items.flatMap(({ ip = "" }, j) => {
          const path = `${at}.${list}[${j}].ip`;
          // Kubernetes says twice that it is none.
          return isIP(ip)
            ? endpointAddressMistakes(path, ip)
            : [...ipMistakes(path, ip), invalidValue(path, ip, "must be a valid IP address")];
        });
      return [
        ...each("addresses", addresses),
        ...each("notReadyAddresses", notReadyAddresses),
        ...ports.flatMap(({ name, port, protocol }, j) => {
          const path = `${at}.ports[${j}]`;
          const unnamed = ports.length > 1 ? [required(`${path}.name`)] : [];
          return [
            ...(name ? named(`${path}.name`, name, dns1123Label) : unnamed),
            ...portMistakes(`${path}.port`, port),
            ...oneOf(`${path}.protocol`, protocol, protocols),
          ];
        }),
      ];
    }),
  warnings: () => ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"],
};

const addressLimit = 100;

function sliceMistakes({ addressType, endpoints: each, ports }: EndpointSlice): FieldError[] {
  const mistakes = addressType
    ? oneOf("addressType", addressType, ["FQDN", "IPv4", "IPv6"])
    : [required("addressType")];
  each?.forEach((endpoint, i) => {
    const at = `endpoints[${i}]`;
    const { addresses = [], hostname, nodeName } = endpoint;
    if (addresses.length === 0) mistakes.push(required(`${at}.addresses`, "must contain at least 1 address"));
    if (addresses.length > addressLimit) mistakes.push(tooMany(`${at}.addresses`, addresses.length, addressLimit));
    addresses.forEach((address, j) => {
      mistakes.push(...sliceAddressMistakes(`${at}.addresses[${j}]`, address, addressType));
    });
    if (nodeName) mistakes.push(...named(`${at}.nodeName`, nodeName, dns1123Subdomain));
    if (hostname) mistakes.push(...named(`${at}.hostname`, hostname, dns1123Label));
  });
  const names = new Set<string>();
  ports?.forEach(({ name = "", protocol, appProtocol }, i) => {
    if (names.has(name)) mistakes.push(duplicate(`ports[${i}].name`, name));
    names.add(name);
    if (name) mistakes.push(...named(`ports[${i}].name`, name, dns1123Label));
    mistakes.push(...oneOf(`ports[${i}].protocol`, protocol, protocols));
    if (appProtocol) mistakes.push(...named(`ports[${i}].appProtocol`, appProtocol, qualifiedName));
  });
  return mistakes;
}

function sliceAddressMistakes(path: string, address: string, type: string | undefined): FieldError[] {
  if (type === "FQDN") return named(path, address, dns1123Subdomain);
  if (type !== "IPv4" && type !== "IPv6") return [];
  const wrong = ipMistakes(path, address);
  const list = path.replace(/\[\d+\]$/, "");
  if (wrong.length > 0) return wrong;
  if (address.includes(":") === (type === "IPv6")) return endpointAddressMistakes(path, address);
  return [invalidValue(list, address, `must be an ${type} address`)];
}

const protocols = ["SCTP", "TCP", "UDP"];

export const endpointSlices: KindRules<EndpointSlice> = {
  defaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  validate: (slice) => sliceMistakes(slice),
  validateUpdate: ({ addressType }, before) =>
    addressType === before.addressType ? [] : [immutable("addressType", addressType)],
  countsAlso: ({ metadata }, before) => !deepEqual(metadata.labels ?? {}, before.metadata.labels ?? {}),
  prepare({ endpoints: each }) {
    for (const endpoint of each ?? []) delete endpoint.deprecatedTopology;
  },
};
