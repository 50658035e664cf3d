/** Ingresses and IngressClasses. Source: kubernetes pkg/apis/networking (v1/defaults.go, validation) */
import type { Ingress, IngressClass } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";

export const ingresses: KindRules<Ingress> = {};

export const ingressClasses: KindRules<IngressClass> = {
  defaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= "Cluster";
  },
};
