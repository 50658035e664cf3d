/** A server whose port another process has: it listens as soon as the port is free, and everything else goes on until then. */
import type { Cancel, Clock } from "@flotilla/ambient";

export interface Listening {
  /** Why it does not listen at the moment; undefined: it does. */
  readonly fault: string | undefined;
  close(): Promise<void>;
}

/** Milliseconds. */
const again = 2000;

/** `what` and `port` are for people. Errors but that the port is taken are thrown, the first time, or told to `onError`. */
export async function listenAgain(
  { what, port, clock, onError }: { what: string; port: number; clock: Clock; onError: (error: unknown) => void },
  start: () => Promise<{ close(): Promise<void> }>,
): Promise<Listening> {
  let server: { close(): Promise<void> } | undefined;
  let fault: string | undefined;
  let cancel: Cancel = () => {};
  let isClosed = false;
  const attempt = async (): Promise<void> => {
    try {
      server = await start();
      fault = undefined;
      if (isClosed) await server.close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      fault = `${what}: another process has port ${port}`;
      if (!isClosed) cancel = clock.after(again, () => void attempt().catch(onError), { background: true });
    }
  };
  await attempt();
  return {
    get fault() {
      return fault;
    },
    async close() {
      isClosed = true;
      cancel();
      await server?.close();
    },
  };
}
