/** What each store tells of itself. */
import type { Recovered } from "./block-store.ts";

export interface StoreStats {
  /** Spans, log records, samples that are there. */
  readonly records: number;
  readonly bytesOnDisk: number;
  /** Time of the oldest record, ms since the epoch; undefined: there is none. */
  readonly oldest: number | undefined;
  readonly recovered: Recovered;
  /** Why nothing is taken at the moment. */
  readonly fault: string | undefined;
}
