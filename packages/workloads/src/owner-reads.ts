/** Asks the API itself whether an owner is there: the fact that the garbage collector deletes by. */
import type { Api, Key, Source } from "@flotilla/client";
import { isNotFound } from "@flotilla/objects";
import { type Ask, askKey } from "./garbage.ts";

export interface OwnerReads {
  /** The uid of the object that has the owner's name; "" when there is none. */
  readonly source: Source<string>;
  /** What the runner does for effects to `ownerReadsName`. Rejects when the API cannot be asked, so that it is tried again. */
  readonly read: (ask: unknown) => Promise<void>;
}

/** So many answers are remembered; older ones are asked for again when they are needed. */
const remembered = 1000;

export function ownerReads(api: Pick<Api, "get">): OwnerReads {
  let tell: ((key: string, value: string | undefined) => void) | undefined;
  const askers = new Map<string, Key[]>();
  const answered = new Set<string>();

  return {
    source: {
      name: "owner-reads",
      start(set) {
        tell = set;
      },
      keys: (key) => askers.get(key) ?? [],
    },
    async read(effect) {
      const { asker, resource, key, uid } = effect as Ask;
      const id = askKey(resource, key, uid);
      askers.set(id, [...(askers.get(id) ?? []), asker]);
      let found = "";
      try {
        found = (await api.get(resource, key)).metadata.uid ?? "";
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      tell?.(id, found);
      askers.delete(id);
      answered.delete(id);
      answered.add(id);
      for (const oldest of answered) {
        if (answered.size <= remembered) break;
        answered.delete(oldest);
        tell?.(oldest, undefined);
      }
    },
  };
}
