/** Nodes. Source: kubernetes pkg/apis/core (v1/defaults.go, validation), pkg/registry/core/node */
import { duplicate, forbiddenField, labelValue, type Node, qualifiedName, required } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { cidrMistakes, flat, named } from "../mistakes.ts";
import { effectMistakes } from "../pod/scheduling.ts";

const notUnique = "taints must be unique by key and effect pair";

export const nodes: KindRules<Node> = {
  defaults({ status }) {
    if (status?.capacity && !status.allocatable) status.allocatable = { ...status.capacity };
  },
  validate({ spec }) {
    const seen = new Set<string>();
    return [
      ...flat(spec?.taints, (taint, i) => {
        const { key = "", value = "", effect } = taint;
        const at = `metadata.taints[${i}]`;
        const mistakes = [...named(`${at}.key`, key, qualifiedName), ...named(`${at}.value`, value, labelValue)];
        mistakes.push(...(effect ? effectMistakes(`${at}.effect`, effect) : [required(`${at}.effect`)]));
        if (effect && seen.has(`${key} ${effect}`))
          mistakes.push({ ...duplicate(at, taint), message: `${duplicate(at, taint).message}: ${notUnique}` });
        seen.add(`${key} ${effect}`);
        return mistakes;
      }),
      ...flat(spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : []), (range, i) =>
        cidrMistakes(`spec.podCIDRs[${i}]`, range),
      ),
    ];
  },
  validateUpdate({ spec }, before) {
    const had = before.spec?.providerID;
    return had && spec?.providerID !== had
      ? [forbiddenField("spec.providerID", 'node updates may not change providerID except from "" to valid')]
      : [];
  },
  fields: ({ spec }) => ({ "spec.unschedulable": String(spec?.unschedulable ?? false) }),
};
