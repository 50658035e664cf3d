/** Reads what one request sends, within the limits of the intake. */
import type { Readable } from "node:stream";
import type { Signal } from "../sink.ts";
import type { Intake, Outcome } from "./intake.ts";

/**
 * All of the body in its parts, or why it is refused; nothing when the sender went away amid it. `most` in bytes. After a
 * refusal the caller sees to what still comes.
 */
export function collect(
  stream: Readable,
  signal: Signal,
  intake: Intake,
  most: number,
): Promise<Buffer[] | Outcome | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (result: Buffer[] | Outcome | undefined): void => {
      stream.off("data", onData).off("end", onEnd).off("close", onClose);
      intake.release(size);
      resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      const refusal = size + chunk.length > most ? intake.tooLarge(signal) : intake.reserve(signal, chunk.length);
      if (refusal) {
        finish(refusal);
      } else {
        size += chunk.length;
        chunks.push(chunk);
      }
    };
    const onEnd = (): void => finish(chunks);
    const onClose = (): void => finish(undefined);
    stream.on("data", onData).on("end", onEnd).on("close", onClose);
  });
}
