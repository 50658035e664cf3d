/** NetworkPolicies. Source: kubernetes pkg/apis/networking (v1/defaults.go, validation) */
import type { NetworkPolicy } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";

export const networkPolicies: KindRules<NetworkPolicy> = {
  defaults({ spec }) {
    if (!spec) return;
    for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
      for (const port of ports ?? []) port.protocol ??= "TCP";
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"];
  },
};
