/** Requests and limits. Source: kubernetes pkg/apis/core/validation */
import {
  compareQuantities,
  type FieldError,
  forbiddenField,
  invalidValue,
  parseQuantity,
  type Quantity,
  qualifiedName,
  type ResourceRequirements,
  required,
} from "@flotilla/objects";

const standard = new Set(["cpu", "memory", "ephemeral-storage"]);
/** Counted in whole pieces: known, but not of a container. */
export const counted = new Set([
  "pods",
  "services",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
]);

const isHugePages = (name: string) => name.startsWith("hugepages-");
const isNative = (name: string) => !name.includes("/") || name.includes("kubernetes.io/");
/** Of somebody else's: counted whole, and never promised twice. */
const isExtended = (name: string) => !isNative(name) && !name.startsWith("requests.");
const mayOvercommit = (name: string) => isNative(name) && !isHugePages(name);

const billionth = 1_000_000_000n;

export function amountMistakes(path: string, name: string, amount: Quantity): FieldError[] {
  if (compareQuantities(amount, "0") < 0)
    return [invalidValue(path, String(amount), "must be greater than or equal to 0")];
  if ((counted.has(name) || isExtended(name)) && parseQuantity(amount).nano % billionth !== 0n)
    return [invalidValue(path, String(amount), "must be an integer")];
  return [];
}

function nameMistakes(path: string, name: string): FieldError[] {
  const wrong = qualifiedName(name);
  if (wrong.length > 0) return wrong.map((each) => invalidValue(path, name, each));
  if (name.includes("/")) return [];
  if (standard.has(name) || isHugePages(name)) return [];
  const mistakes = [invalidValue(path, name, "must be a standard resource for containers")];
  if (!counted.has(name) && name !== "storage")
    mistakes.unshift(invalidValue(path, name, "must be a standard resource type or fully qualified"));
  return mistakes;
}

export function resourceMistakes(path: string, resources: ResourceRequirements | undefined): FieldError[] {
  const { limits = {}, requests = {} } = resources ?? {};
  const mistakes: FieldError[] = [];
  for (const [part, amounts] of Object.entries({ limits, requests }))
    for (const [name, amount] of Object.entries(amounts)) {
      const at = `${path}.${part}[${name}]`;
      mistakes.push(...nameMistakes(at, name), ...amountMistakes(at, name, amount));
    }
  for (const [name, amount] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit === undefined) {
      if (!mayOvercommit(name))
        mistakes.push(required(`${path}.limits`, "Limit must be set for non overcommitable resources"));
      continue;
    }
    const difference = compareQuantities(amount, limit);
    if (difference !== 0 && !mayOvercommit(name))
      mistakes.push(invalidValue(`${path}.requests`, String(amount), `must be equal to ${name} limit of ${limit}`));
    else if (difference > 0)
      mistakes.push(
        invalidValue(`${path}.requests`, String(amount), `must be less than or equal to ${name} limit of ${limit}`),
      );
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes("cpu") && !names.includes("memory"))
    mistakes.push(forbiddenField(path, "HugePages require cpu or memory"));
  return mistakes;
}
