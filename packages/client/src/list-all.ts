/** A whole list, page by page. */
import { isExpired, isGone, type KubeObject, type Resource } from "@flotilla/objects";
import type { Api, Selection } from "./api.ts";

/** As client-go's pager. */
const pageSize = 500;

/** All objects of one moment, with that moment's resourceVersion. */
export async function listAll<T extends KubeObject>(
  api: Pick<Api, "list">,
  resource: Resource<T>,
  selection: Selection = {},
): Promise<{ items: T[]; version: string }> {
  const items: T[] = [];
  let next: string | undefined;
  do {
    try {
      const page = await api.list(resource, { ...selection, limit: pageSize, continue: next });
      items.push(...page.items);
      next = page.metadata.continue || undefined;
      if (!next) return { items, version: page.metadata.resourceVersion };
    } catch (error) {
      if (!next || !(isExpired(error) || isGone(error))) throw error;
      next = undefined;
    }
  } while (next);
  // The moment of the first pages is forgotten already: all at once instead.
  const page = await api.list(resource, selection);
  return { items: page.items, version: page.metadata.resourceVersion };
}
