/** Serves what CustomResourceDefinitions define, as soon as they are committed and as long as they are there. */
import { type CustomResourceDefinition, CustomResourceDefinitions, resourceName } from "@flotilla/objects";
import type { ServedResources } from "../registry/served-resources.ts";
import type { Store } from "../store/store.ts";
import { type CustomResource, customResources } from "./custom-resource.ts";

const definitions = resourceName(CustomResourceDefinitions);

export function serveCustomResources(store: Store, served: ServedResources): void {
  /** By definition and version of it, so that an unrelated change keeps the same Resource. */
  let known = new Map<string, CustomResource[]>();
  const refresh = () => {
    const next = new Map<string, CustomResource[]>();
    for (const object of store.list(definitions)) {
      const { metadata } = object;
      const key = `${metadata.uid} ${metadata.generation} ${metadata.deletionTimestamp ?? ""}`;
      next.set(key, known.get(key) ?? customResources(object as CustomResourceDefinition));
    }
    const changed = next.size !== known.size || [...next.keys()].some((key) => !known.has(key));
    known = next;
    if (changed) served.setCustom([...next.values()].flat());
  };
  if (store.list(definitions).length > 0) refresh();
  store.subscribe(definitions, refresh);
}
