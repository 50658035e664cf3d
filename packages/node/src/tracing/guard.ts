/** Nothing that goes wrong in here may reach the program that is observed. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** Mistakes of ours, for those who ask for them by OTEL_LOG_LEVEL=debug; each message once. */
const told = new Set<string>();

export function complain(error: unknown): void {
  if (process.env.OTEL_LOG_LEVEL?.toLowerCase() !== "debug") return;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (told.has(text) || told.size > 100) return;
  told.add(text);
  process.stderr.write(`flotilla: tracing: ${text}\n`);
}

/** Runs it; what it throws is told to those who ask, and the answer is undefined. */
export function guarded<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    complain(error);
    return undefined;
  }
}

/** Listens on a diagnostics channel, whose publisher would end the process when a listener throws. Answers how to stop. */
export function listen<Message>(channel: string, listener: (message: Message) => void): () => void {
  const safe = (message: unknown) => {
    try {
      listener(message as Message);
    } catch (error) {
      complain(error);
    }
  };
  subscribe(channel, safe);
  return () => unsubscribe(channel, safe);
}
