/** Endpoints and EndpointSlices. Source: kubernetes pkg/apis/core and pkg/apis/discovery (v1/defaults.go, validation) */
import type { EndpointSlice, Endpoints } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";

export const endpoints: KindRules<Endpoints> = {
  defaults({ subsets }) {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) fill(port, { protocol: "TCP" });
  },
};

export const endpointSlices: KindRules<EndpointSlice> = {
  defaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  prepare({ endpoints: each }) {
    for (const endpoint of each ?? []) delete endpoint.deprecatedTopology;
  },
};
