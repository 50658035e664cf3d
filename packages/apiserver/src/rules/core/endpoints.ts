/** Endpoints and EndpointSlices. Source: kubernetes pkg/apis/core and pkg/apis/discovery (v1/defaults.go, validation) */
import { deepEqual, type EndpointSlice, type Endpoints } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { fill } from "../fill.ts";

export const endpoints: KindRules<Endpoints> = {
  defaults({ subsets }) {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) fill(port, { protocol: "TCP" });
  },
  warnings: () => ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"],
};

export const endpointSlices: KindRules<EndpointSlice> = {
  defaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  countsAlso: ({ metadata }, before) => !deepEqual(metadata.labels ?? {}, before.metadata.labels ?? {}),
  prepare({ endpoints: each }) {
    for (const endpoint of each ?? []) delete endpoint.deprecatedTopology;
  },
};
