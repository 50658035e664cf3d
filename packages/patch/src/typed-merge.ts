/**
 * Merges an applied configuration into a live value by shape: the configuration wins leaf by leaf; granular maps and
 * lists keep what it does not mention. Items of lists come in the configuration's order, the rest in between where
 * they stood.
 *
 * Source: sigs.k8s.io/structured-merge-diff/v6 typed (merge.go).
 */
import { get, isObject, type JsonObject, put } from "./json.ts";
import { itemElement } from "./path-element.ts";
import { childShape, formOf, type ListShape, type MapShape, type Shape } from "./shape.ts";

export function mergeTyped(live: unknown, config: unknown, shape: Shape): unknown {
  if (config === undefined || live === config) return live;
  const form = formOf(shape, config === null ? live : config);
  if (form === "list" && shape.list && shape.list.relation !== "atomic") {
    const left = Array.isArray(live) ? live : [];
    const right = Array.isArray(config) ? config : [];
    if (left.length + right.length > 0) return mergeLists(left, right, shape.list);
  }
  if (form === "map" && shape.map && !shape.map.atomic) {
    const left = isObject(live) ? live : {};
    const right = isObject(config) ? config : {};
    if (Object.keys(left).length + Object.keys(right).length > 0) return mergeMaps(left, right, shape.map);
  }
  return config;
}

function mergeMaps(live: JsonObject, config: JsonObject, map: MapShape): JsonObject {
  let merged = live;
  for (const key of Object.keys(config)) {
    const before = get(live, key);
    const after = mergeTyped(before, config[key], childShape(map, key));
    if (after === before) continue;
    if (merged === live) merged = { ...live };
    put(merged, key, after);
  }
  return merged;
}

function mergeLists(live: unknown[], config: unknown[], list: ListShape): unknown[] {
  const liveElements = live.map((item) => itemElement(item, list));
  const configElements = config.map((item) => itemElement(item, list));
  const stated = new Map(configElements.map((element, i) => [element, config[i]]));
  const present = new Map<string, unknown>();
  // Items that the live list holds twice are not merged with the new one: null, as in the source.
  liveElements.forEach((element, i) => {
    present.set(element, present.has(element) ? null : live[i]);
  });
  const shared = configElements.filter((element) => present.has(element));
  const taken = new Set<string>();
  const merged: unknown[] = [];
  const take = (element: string) => {
    taken.add(element);
    merged.push(mergeTyped(present.get(element), stated.get(element), list.item()));
    if (shared[0] === element) shared.shift();
  };

  let l = 0;
  let c = 0;
  while (l < live.length || c < config.length) {
    const ours = liveElements[l];
    const theirs = configElements[c];
    if (ours !== undefined && theirs !== undefined) {
      if (ours === theirs) {
        take(ours);
        l++;
        c++;
        continue;
      }
      if (stated.has(ours) && shared[0] !== undefined && shared[0] !== ours) {
        // Stated, too, but its turn in the stated order has not come.
        l++;
        continue;
      }
    }
    if (ours !== undefined) {
      if (!stated.has(ours)) {
        merged.push(live[l]);
        l++;
        continue;
      }
      if (taken.has(ours)) l++;
    }
    if (theirs !== undefined) {
      take(theirs);
      c++;
    }
  }
  return merged;
}
