/**
 * The labels of a series: those of the data point, some of its resource, `job` and `instance`.
 *
 * Source: prometheus storage/remote/otlptranslator/prometheusremotewrite, helper.go (createAttributes); which attributes of the
 * resource are promoted, and to which names, is Flotilla's.
 */
import { attribute, textOf } from "../attributes.ts";
import type { KeyValue, Resource } from "../otlp/types.ts";
import { isLabelName, labelName } from "./names.ts";

export type LabelMap = ReadonlyMap<string, string>;

/** What every series of a resource gets. */
export interface ResourceLabels {
  /** Unless a data point has its own. */
  readonly promoted: LabelMap;
  /** In any case. */
  readonly identity: LabelMap;
}

const promotions: readonly (readonly [attribute: string, label: string])[] = [
  ["service.name", "service"],
  ["service.namespace", "app"],
  ["service.version", "version"],
  ["k8s.namespace.name", "namespace"],
  ["k8s.pod.name", "pod"],
  ["k8s.container.name", "container"],
  ["k8s.node.name", "node"],
];

const identifying = ["service.namespace", "service.name", "service.instance.id"];

export function resourceLabels(resource: Resource | undefined): ResourceLabels {
  const of = (key: string) => attribute(resource?.attributes, key) ?? "";
  const promoted = new Map<string, string>();
  for (const [key, label] of promotions) if (of(key)) promoted.set(label, of(key));
  const identity = new Map<string, string>();
  const name = of("service.name");
  const namespace = of("service.namespace");
  if (name) identity.set("job", namespace ? `${namespace}/${name}` : name);
  if (of("service.instance.id")) identity.set("instance", of("service.instance.id"));
  return { promoted, identity };
}

/** `isScraped`: names stay as they are where they are names at all, and what collides with `job` and `instance` is renamed. */
export function pointLabels(
  attributes: readonly KeyValue[] | undefined,
  { promoted, identity }: ResourceLabels,
  isScraped = false,
): LabelMap {
  const labels = ownLabels(attributes, isScraped);
  for (const [name, value] of promoted) if (!labels.get(name)) labels.set(name, value);
  for (const [name, value] of identity) {
    const own = isScraped ? labels.get(name) : undefined;
    if (own) labels.set(`exported_${name}`, own);
    labels.set(name, value);
  }
  return labels;
}

/** Attributes whose names become the same are joined, in the order of their names. */
function ownLabels(attributes: readonly KeyValue[] = [], isScraped = false, except: readonly string[] = []) {
  const labels = new Map<string, string>();
  const inOrder =
    attributes.length > 1 ? [...attributes].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)) : attributes;
  for (const { key, value } of inOrder) {
    if (key === "__name__" || except.includes(key)) continue;
    const name = isScraped && isLabelName(key) ? key : labelName(key);
    if (name === "" || name === "__name__") continue;
    const known = labels.get(name);
    labels.set(name, known ? `${known};${textOf(value)}` : textOf(value));
  }
  return labels;
}

/** Undefined: there is nothing that the other labels do not say, or nothing that says whose it is. */
export function targetInfoLabels(resource: Resource | undefined, { identity }: ResourceLabels): LabelMap | undefined {
  const labels = ownLabels(resource?.attributes, false, identifying);
  if (labels.size === 0 || identity.size === 0) return undefined;
  for (const [name, value] of identity) labels.set(name, value);
  return labels;
}

/** As a flat list in the order of `LabelSets`; labels without a value are none. `extra` wins. */
export function flat(labels: LabelMap, metric: string, extra?: readonly [string, string]): string[] {
  const names: string[] = [];
  for (const [name, value] of labels) if (value !== "" && name !== extra?.[0]) names.push(name);
  if (extra) names.push(extra[0]);
  names.sort();
  const list = ["__name__", metric];
  for (const name of names) list.push(name, name === extra?.[0] ? extra[1] : (labels.get(name) as string));
  return list;
}
