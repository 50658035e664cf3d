/** First contact with an API that may still be starting. */
import { type Clock, sleep } from "@flotilla/ambient";
import { type Api, ApiUnreachableError, create } from "@flotilla/client";
import { isAlreadyExists, isNotFound, Namespaces } from "@flotilla/objects";

/** Repeats `ask` until the API can be reached; answers and refusals of the API are passed on. */
export async function whenReachable<T>(clock: Clock, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiUnreachableError) || signal.aborted) throw error;
      await sleep(clock, 20, signal);
    }
  }
}

/** Repeats `ask` until the API can be reached and has what is asked for; what went wrong last, when `signal` comes first. */
export async function whenThere<T>(clock: Clock, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || !(error instanceof ApiUnreachableError || isNotFound(error))) throw error;
      await sleep(clock, 50, signal).catch(() => {});
    }
  }
}

/** For `catch`: `value` where the API says that there is no such object. */
export const notFoundAs =
  <T>(value: T) =>
  (error: unknown): T => {
    if (isNotFound(error)) return value;
    throw error;
  };

export async function ensureNamespace(api: Api, name: string): Promise<void> {
  if (await api.get(Namespaces, { name }).catch(notFoundAs(undefined))) return;
  await api.write(create(Namespaces, { metadata: { name }, spec: {} })).catch((error) => {
    if (!isAlreadyExists(error)) throw error;
  });
}
