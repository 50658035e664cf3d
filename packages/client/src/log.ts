/** What runners and informers tell about themselves. Whoever starts them decides where it goes. */
import type { Key } from "./controller.ts";

export interface LogEntry {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly controller?: string;
  readonly key?: Key;
  readonly error?: unknown;
}

export type Log = (entry: LogEntry) => void;
