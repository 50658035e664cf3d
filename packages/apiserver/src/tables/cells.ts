/** Cells that several kinds share: labels, selectors, containers, lists cut short. */
import type { LabelSelector } from "@flotilla/objects";

/** "a=1,b=2" in order of keys; "<none>" when there are none. */
export function labelsCell(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length > 0 ? pairs.sort().join(",") : "<none>";
}

/** The selector as kubectl takes it on its command line; "" when it selects everything. */
export function selectorText(selector: LabelSelector | undefined): string {
  const parts: [key: string, text: string][] = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => [
    key,
    `${key}=${value}`,
  ]);
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    const set = `(${[...values].sort().join(",")})`;
    if (operator === "In") parts.push([key, `${key} in ${set}`]);
    else if (operator === "NotIn") parts.push([key, `${key} notin ${set}`]);
    else parts.push([key, operator === "Exists" ? key : `!${key}`]);
  }
  return parts
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, text]) => text)
    .join(",");
}

export const selectorCell = (selector: LabelSelector | undefined): string =>
  selector ? selectorText(selector) || "<none>" : "<none>";

interface Containers {
  readonly spec?: { readonly containers?: readonly { readonly name: string; readonly image?: string }[] };
}

export const containerNames = (template: Containers | undefined): string =>
  (template?.spec?.containers ?? []).map((container) => container.name).join(",");

export const containerImages = (template: Containers | undefined): string =>
  (template?.spec?.containers ?? []).map((container) => container.image ?? "").join(",");

/** The first `most` of a list: "a,b,c + 4 more...". */
export const firstOf = (items: readonly string[], most: number, separator = ","): string =>
  items.length > most
    ? `${items.slice(0, most).join(separator)} + ${items.length - most} more...`
    : items.join(separator);

export const conditionOf = <C extends { readonly type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined => conditions?.find((condition) => condition.type === type);

export const holds = (
  conditions: readonly { readonly type: string; readonly status: string }[] | undefined,
  type: string,
): boolean => conditionOf(conditions, type)?.status === "True";
