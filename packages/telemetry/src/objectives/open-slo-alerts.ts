/** OpenSLO's alert policies as burn-rate policies. */
import { type BurnRatePolicy, formatPeriod } from "@flotilla/objects";
import type { Place, Reader } from "./open-slo-reader.ts";

export interface OpenSloAlerts {
  /** Undefined: none are stated. */
  readonly policies: readonly BurnRatePolicy[] | undefined;
  /** Who is to be told is a matter of whoever routes alerts: the names of the targets are labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Whether ends are told as well. */
  readonly resolved: boolean;
}

export function policiesOf(reader: Reader, at: Place): OpenSloAlerts {
  const policies: BurnRatePolicy[] = [];
  const targets = new Set<string>();
  const ends = new Set<boolean>();
  for (const item of reader.list(at)) {
    const policy = policyAt(reader, item);
    if (!policy) continue;
    const { at: spec } = reader.fields(policy.child("spec"), [
      "description",
      "alertWhenNoData",
      "alertWhenResolved",
      "alertWhenBreaching",
      "conditions",
      "notificationTargets",
    ]);
    if (spec.child("alertWhenNoData").value === true)
      reader.wrong(spec.child("alertWhenNoData"), "alerts of missing data are not supported", "leave it out");
    if (spec.child("alertWhenBreaching").value !== true)
      reader.wrong(spec.child("alertWhenBreaching"), "an alert that never begins is not supported", "state true");
    ends.add(spec.child("alertWhenResolved").value === true);
    for (const target of reader.list(spec.child("notificationTargets"))) {
      const name = targetOf(reader, target);
      if (name) targets.add(name);
    }
    const conditions = reader.list(spec.child("conditions"));
    if (conditions.length !== 1) reader.wrong(spec.child("conditions"), "is not exactly one", "state one");
    policies.push(...conditions.flatMap((condition) => conditionOf(reader, condition) ?? []));
  }
  if (ends.size > 1)
    reader.wrong(at, "some are told when they end and some not", "state alertWhenResolved alike in all");
  return {
    policies: at.value === undefined ? undefined : policies,
    labels: targets.size > 0 ? { notification_targets: [...targets].join(",") } : {},
    resolved: !ends.has(false),
  };
}

/** Stated here, or elsewhere by name. */
function policyAt(reader: Reader, at: Place): Place | undefined {
  const reference = at.child("alertPolicyRef");
  if (reference.value !== undefined) {
    reader.fields(at, ["alertPolicyRef"]);
    return reader.referred(reference, "AlertPolicy");
  }
  reader.fields(at, ["apiVersion", "kind", "metadata", "spec"]);
  return at;
}

function targetOf(reader: Reader, at: Place): string | undefined {
  const reference = at.child("targetRef");
  if (reference.value !== undefined) {
    reader.fields(at, ["targetRef"]);
    return reader.referred(reference, "AlertNotificationTarget") && reader.text(reference);
  }
  reader.fields(at, ["apiVersion", "kind", "metadata", "spec"]);
  return reader.text(at.child("metadata").child("name"));
}

function conditionOf(reader: Reader, item: Place): BurnRatePolicy | undefined {
  const reference = item.child("conditionRef");
  const at = reference.value === undefined ? item : reader.referred(reference, "AlertCondition");
  if (!at) return undefined;
  if (reference.value === undefined) reader.fields(at, ["apiVersion", "kind", "metadata", "spec"]);
  else reader.fields(item, ["conditionRef"]);
  const { at: spec } = reader.fields(at.child("spec"), ["description", "severity", "condition"]);
  const { at: condition } = reader.fields(spec.child("condition"), [
    "kind",
    "op",
    "threshold",
    "lookbackWindow",
    "alertAfter",
  ]);
  const kind = condition.child("kind").value ?? "burnrate";
  if (kind !== "burnrate")
    reader.wrong(condition.child("kind"), `${JSON.stringify(kind)} is not supported`, "only burnrate is");
  const op = condition.child("op").value;
  if (op !== "gt" && op !== "gte")
    reader.wrong(condition.child("op"), "an alert while little burns is not supported", "state gt or gte");
  const severity = reader.text(spec.child("severity"));
  const factor = reader.number(condition.child("threshold"));
  const long = reader.duration(condition.child("lookbackWindow"));
  const after = condition.child("alertAfter");
  const held = after.value === undefined || after.value === "0m" ? 0 : reader.duration(after);
  if (severity === undefined || factor === undefined || long === undefined || held === undefined) return undefined;
  return { severity, long: formatPeriod(long), factor, ...(held > 0 && { for: formatPeriod(held) }) };
}
