/** Joins two connections: what one says the other hears, ends included; when one breaks the other is cut. */
import type { Duplex } from "node:stream";

export function splice(a: Duplex, b: Duplex): void {
  a.on("error", () => b.destroy());
  b.on("error", () => a.destroy());
  // A close without an end before is a break; after both ends there is nothing left to cut.
  a.on("close", () => void (b.destroyed || (a.readableEnded && b.writableEnded) || b.destroy()));
  b.on("close", () => void (a.destroyed || (b.readableEnded && a.writableEnded) || a.destroy()));
  a.pipe(b);
  b.pipe(a);
}
