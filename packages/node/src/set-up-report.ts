/**
 * What the first process of a container tells the agent, on descriptor 3, while it sets the container up (`namespaces.ts`):
 * P, its pipes are there; R, the command runs; X and a number, its exit code; E and a message, it could not be set up.
 */
import type { Duplex } from "node:stream";

export interface SetUpReport {
  /** Undefined when the command runs; otherwise why it does not. */
  readonly problem: Promise<string | undefined>;
  /** Undefined: the end was not told, so everything was killed at once. */
  exitCode(): number | undefined;
}

/** `openPipes` is called when there is something to be read; the command starts after it. */
export function setUpReport(channel: Duplex, openPipes: () => void): SetUpReport {
  const { promise: problem, resolve } = Promise.withResolvers<string | undefined>();
  let said = "";
  channel.on("data", (chunk: Buffer) => {
    const first = said === "";
    said += chunk;
    if (first && said.startsWith("P")) {
      try {
        openPipes();
        channel.write("\n");
      } catch (error) {
        resolve((error as Error).message);
      }
    }
    if (said.startsWith("PR")) resolve(undefined);
  });
  // A process that ends without having read our line resets the connection; what it told before has arrived.
  channel.on("error", () => {});
  channel.on("close", () => resolve(/^P?E(.*)$/s.exec(said)?.[1]?.trim() ?? "its set-up ended early"));
  return {
    problem,
    exitCode() {
      const told = /^PR.*X(\d+)$/s.exec(said)?.[1];
      return told === undefined ? undefined : Number(told);
    },
  };
}
