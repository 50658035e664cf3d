/** Where a pod may run: affinity, spread, tolerations. Source: kubernetes pkg/apis/core/validation */
import {
  type Affinity,
  dns1123Label,
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  type LabelSelector,
  labelValue,
  type NodeSelectorTerm,
  notSupported,
  type PodAffinityTerm,
  qualifiedName,
  required,
  type Toleration,
  type TopologySpreadConstraint,
} from "@flotilla/objects";
import { flat, named, oneOf, selectorMistakes } from "../mistakes.ts";

const needsValues = "must be specified when `operator` is 'In' or 'NotIn'";

function nodeTermMistakes(path: string, term: NodeSelectorTerm | undefined): FieldError[] {
  return flat(term?.matchExpressions, ({ key, operator, values = [] }, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    const mistakes = named(`${at}.key`, key, qualifiedName);
    switch (operator) {
      case "In":
      case "NotIn":
        if (values.length === 0) mistakes.push(required(`${at}.values`, needsValues));
        break;
      case "Exists":
      case "DoesNotExist":
        if (values.length > 0)
          mistakes.push(
            forbiddenField(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
          );
        break;
      case "Gt":
      case "Lt":
        if (values.length !== 1)
          mistakes.push(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
        break;
      default:
        mistakes.push(invalidValue(`${at}.operator`, operator ?? "", "not a valid selector operator"));
    }
    return mistakes;
  });
}

export function nodeSelectorMistakes(path: string, terms: readonly NodeSelectorTerm[] | undefined): FieldError[] {
  if (!terms?.length) return [required(`${path}.nodeSelectorTerms`, "must have at least one node selector term")];
  return flat(terms, (term, i) => nodeTermMistakes(`${path}.nodeSelectorTerms[${i}]`, term));
}

function weightMistakes(path: string, weight: number): FieldError[] {
  return weight >= 1 && weight <= 100 ? [] : [invalidValue(path, weight ?? 0, "must be in the range 1-100")];
}

function labelKeyMistakes(
  path: string,
  selector: LabelSelector | undefined,
  match: readonly string[] = [],
  mismatch: readonly string[] = [],
): FieldError[] {
  const mistakes: FieldError[] = [];
  for (const [field, keys] of [
    ["matchLabelKeys", match],
    ["mismatchLabelKeys", mismatch],
  ] as const) {
    if (keys.length > 0 && !selector)
      mistakes.push(forbiddenField(`${path}.${field}`, "must not be specified when labelSelector is not set"));
    else keys.forEach((key, i) => void mistakes.push(...named(`${path}.${field}[${i}]`, key, qualifiedName)));
  }
  match.forEach((key, i) => {
    if (mismatch.includes(key))
      mistakes.push(
        invalidValue(`${path}.matchLabelKeys[${i}]`, key, "exists in both matchLabelKeys and mismatchLabelKeys"),
      );
  });
  return mistakes;
}

function podTermMistakes(path: string, term: PodAffinityTerm): FieldError[] {
  const { topologyKey = "", labelSelector, namespaceSelector, namespaces, matchLabelKeys, mismatchLabelKeys } = term;
  return [
    ...selectorMistakes(`${path}.labelSelector`, labelSelector),
    ...selectorMistakes(`${path}.namespaceSelector`, namespaceSelector),
    ...flat(namespaces, (name) => named(`${path}.namespace`, name, dns1123Label)),
    ...labelKeyMistakes(path, labelSelector, matchLabelKeys, mismatchLabelKeys),
    ...(topologyKey ? [] : [required(`${path}.topologyKey`, "can not be empty")]),
    ...named(`${path}.topologyKey`, topologyKey, qualifiedName),
  ];
}

export function affinityMistakes(path: string, affinity: Affinity | undefined): FieldError[] {
  if (!affinity) return [];
  const required = "requiredDuringSchedulingIgnoredDuringExecution";
  const preferred = "preferredDuringSchedulingIgnoredDuringExecution";
  const { nodeAffinity } = affinity;
  const mistakes: FieldError[] = [];
  const must = nodeAffinity?.[required];
  if (must) mistakes.push(...nodeSelectorMistakes(`${path}.nodeAffinity.${required}`, must.nodeSelectorTerms));
  nodeAffinity?.[preferred]?.forEach(({ weight, preference }, i) => {
    const at = `${path}.nodeAffinity.${preferred}[${i}]`;
    mistakes.push(...weightMistakes(`${at}.weight`, weight), ...nodeTermMistakes(`${at}.preference`, preference));
  });
  for (const kind of ["podAffinity", "podAntiAffinity"] as const) {
    affinity[kind]?.[required]?.forEach((term, i) => {
      mistakes.push(...podTermMistakes(`${path}.${kind}.${required}[${i}]`, term));
    });
    affinity[kind]?.[preferred]?.forEach(({ weight, podAffinityTerm }, i) => {
      const at = `${path}.${kind}.${preferred}[${i}]`;
      mistakes.push(...weightMistakes(`${at}.weight`, weight));
      mistakes.push(...podTermMistakes(`${at}.podAffinityTerm`, podAffinityTerm));
    });
  }
  return mistakes;
}

export function spreadMistakes(path: string, constraints: readonly TopologySpreadConstraint[] | undefined) {
  return flat(constraints, (constraint, i) => {
    const { maxSkew = 0, topologyKey, whenUnsatisfiable = "", minDomains, labelSelector, matchLabelKeys } = constraint;
    const at = `${path}[${i}]`;
    const positive = "must be greater than zero";
    const mistakes: FieldError[] = [
      ...(maxSkew > 0 ? [] : [invalidValue(`${at}.maxSkew`, maxSkew, positive)]),
      ...(topologyKey ? [] : [required(`${at}.topologyKey`, "can not be empty")]),
      ...oneOf(`${at}.whenUnsatisfiable`, whenUnsatisfiable, ["DoNotSchedule", "ScheduleAnyway"]),
      ...oneOf(`${at}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, ["Honor", "Ignore"]),
      ...oneOf(`${at}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, ["Honor", "Ignore"]),
      ...labelKeyMistakes(at, labelSelector, matchLabelKeys),
      ...selectorMistakes(`${at}.labelSelector`, labelSelector),
    ];
    const same = constraints
      ?.slice(i + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (same)
      mistakes.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`));
    if (minDomains !== undefined) {
      if (minDomains <= 0) mistakes.push(invalidValue(`${at}.minDomains`, minDomains, positive));
      if (whenUnsatisfiable !== "DoNotSchedule")
        mistakes.push(
          invalidValue(
            `${at}.minDomains`,
            minDomains,
            `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`,
          ),
        );
    }
    return mistakes;
  });
}

const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

export const effectMistakes = (path: string, effect: string | undefined): FieldError[] => oneOf(path, effect, effects);

export function tolerationMistakes(path: string, tolerations: readonly Toleration[] | undefined): FieldError[] {
  return flat(tolerations, ({ key, operator, value = "", effect, tolerationSeconds }, i) => {
    const at = `${path}[${i}]`;
    const mistakes = key ? named(`${at}.key`, key, qualifiedName) : [];
    const add = (field: string, wrong: string | undefined, why: string) =>
      mistakes.push(invalidValue(`${at}.${field}`, wrong ?? "", why));
    if (!key && operator !== "Exists")
      add(
        "operator",
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      );
    if (tolerationSeconds !== undefined && effect !== "NoExecute")
      add("effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
    if (operator === undefined || operator === "Equal") {
      const wrong = labelValue(value);
      if (wrong.length > 0) add("operator", value, wrong.join(";"));
    } else if (operator !== "Exists") mistakes.push(notSupported(`${at}.operator`, operator, ["Equal", "Exists"]));
    else if (value) add("operator", value, "value must be empty when `operator` is 'Exists'");
    return [...mistakes, ...effectMistakes(`${at}.effect`, effect)];
  });
}
