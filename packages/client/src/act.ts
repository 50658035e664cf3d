/** Carries out what a decision says: its writes in order, then its effects. */
import type { Clock } from "@flotilla/ambient";
import { controllerOf, isAlreadyExists, isConflict, isNotFound, type KubeObject, StatusError } from "@flotilla/objects";
import type { Api, Write } from "./api.ts";
import type { Decision, Effect, Together } from "./controller.ts";
import type { ControllerCache } from "./controller-cache.ts";
import { type Done, targetOf } from "./freshness.ts";
import { Rebase } from "./rebase.ts";
import { slowStart } from "./slow-start.ts";
import { wouldChangeNothing } from "./unchanged.ts";

/** An effect's way into the world. Rejects when it could not be done. */
export type Effects = Readonly<Record<string, (effect: Effect["do"]) => Promise<void>>>;

export interface ActOptions {
  readonly api: Pick<Api, "get" | "write">;
  readonly cache: ControllerCache;
  readonly clock: Clock;
  readonly effects: Effects;
  /** Recorded in managedFields where a write names no other. */
  readonly fieldManager: string;
  /** No write is begun any more. */
  readonly signal: AbortSignal;
}

export interface Outcome {
  readonly failedWrites: readonly { readonly write: Write; readonly error: Error }[];
  readonly failedEffects: readonly { readonly effect: Effect; readonly error: Error }[];
  /** What caches have to catch up with. */
  readonly done: readonly Done[];
}

export async function act(decision: Decision, options: ActOptions): Promise<Outcome> {
  const { signal } = options;
  const rebase = new Rebase();
  const failedWrites: { write: Write; error: Error }[] = [];
  const failedEffects: { effect: Effect; error: Error }[] = [];
  const done: Done[] = [];

  const run = async (stated: Write): Promise<boolean> => {
    if (signal.aborted) return false;
    const write = rebase.apply(stated);
    try {
      const result = await send(write, options);
      if (result) {
        done.push(result);
        rebase.note(write, result.answer);
      }
      return true;
    } catch (error) {
      const known = asError(error);
      // Whether it took effect is unknown: the cache must be of a later moment before the next look.
      if (isAmbiguous(known)) done.push({ write });
      failedWrites.push({ write, error: known });
      return false;
    }
  };

  for (const item of decision.writes ?? []) {
    if (signal.aborted) break;
    if (!item) continue;
    const writes = isTogether(item) ? item.together : [item];
    if (failedWrites.length > 0 && (isTogether(item) || !isStatus(item))) continue;
    await slowStart(writes, run);
  }
  if (failedWrites.length > 0 || signal.aborted) return { failedWrites, failedEffects, done };

  for (const effect of decision.effects ?? []) {
    try {
      const perform = options.effects[effect.to];
      if (!perform) throw new Error(`nothing performs effects to "${effect.to}"`);
      await perform(effect.do);
    } catch (error) {
      failedEffects.push({ effect, error: asError(error) });
      break;
    }
  }
  return { failedWrites, failedEffects, done };
}

/** Undefined when nothing had to be sent. */
async function send(stated: Write, { api, cache, clock, fieldManager }: ActOptions): Promise<Done | undefined> {
  const named: Write = { ...stated, fieldManager: stated.fieldManager ?? fieldManager };
  const cached = cache.latest(stated.resource, targetOf(stated));
  if (cached && wouldChangeNothing(named, cached, new Date(clock.now()))) return undefined;
  const write = withPreconditions(named, cached);
  const before = cached?.metadata.resourceVersion;
  try {
    return { write, answer: await api.write(write), before };
  } catch (error) {
    if (write.verb === "delete" && isNotFound(error)) return undefined;
    if (write.verb === "create" && !write.subresource && isAlreadyExists(error)) {
      // Where it cannot be read, the first error stands.
      const existing = await api.get(write.resource, targetOf(write)).catch(() => undefined);
      if (existing && isOurs(existing, write.object)) return { write, answer: existing, before };
    }
    throw error;
  }
}

const withPreconditions = (write: Write, cached: KubeObject | undefined): Write =>
  write.verb === "delete" && !write.preconditions && cached
    ? { ...write, preconditions: { uid: cached.metadata.uid, resourceVersion: cached.metadata.resourceVersion } }
    : write;

/** Created by an earlier attempt whose answer was lost. */
function isOurs(existing: KubeObject, wanted: KubeObject): boolean {
  const owner = controllerOf(wanted)?.uid;
  return (
    owner !== undefined && controllerOf(existing)?.uid === owner && existing.metadata.deletionTimestamp === undefined
  );
}

/** The API may have done it although it did not say so. */
const isAmbiguous = (error: Error): boolean => !(error instanceof StatusError) || error.code >= 500;

/** Of a race that the next look settles by itself; nobody needs to hear of it. */
export const isRace = (error: Error): boolean => isConflict(error) && !isAlreadyExists(error);

const isTogether = (item: Write | Together): item is Together => "together" in item;

const isStatus = (item: Write | Together): boolean =>
  !isTogether(item) && item.verb !== "delete" && item.subresource === "status";

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
