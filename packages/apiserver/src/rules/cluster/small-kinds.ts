/** Kinds with a rule or two: Lease, RuntimeClass. Source: kubernetes pkg/apis/coordination, pkg/apis/node (validation) */
import { dns1123Label, type FieldError, invalidValue, type Lease, type RuntimeClass } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { immutable, named, nonNegative } from "../mistakes.ts";

export const leases: KindRules<Lease> = {
  validate({ spec }) {
    const { leaseDurationSeconds: seconds, leaseTransitions, holderIdentity } = spec ?? {};
    const mistakes: FieldError[] = nonNegative("spec.leaseTransitions", leaseTransitions);
    if (seconds !== undefined && seconds <= 0)
      mistakes.push(invalidValue("spec.leaseDurationSeconds", seconds, "must be greater than 0"));
    if (holderIdentity === "" && spec?.strategy !== undefined)
      mistakes.push(invalidValue("spec.holderIdentity", "", "must not be empty"));
    return mistakes;
  },
};

export const runtimeClasses: KindRules<RuntimeClass> = {
  validate: ({ handler }) => named("handler", handler ?? "", dns1123Label),
  validateUpdate: ({ handler }, before) => (handler === before.handler ? [] : [immutable("handler", handler)]),
};
