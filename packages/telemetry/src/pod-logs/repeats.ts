/**
 * After a kill, lines are read again that were handed on shortly before it: what has been kept of them is left out, so that nothing is
 * there twice.
 */
import { attribute, textOf } from "../attributes.ts";
import type { LogRecord } from "../otlp/types.ts";
import type { FoundLog, LogSearch } from "../telemetry.ts";

/** Finds what has been kept. */
export type Kept = (search: LogSearch) => Promise<readonly FoundLog[]>;

const mostKept = 20_000;

/** Those of a container's records that have not been kept. Equal ones are counted: of three lines, two kept, one is left. */
export async function withoutRepeats(
  records: readonly LogRecord[],
  { uid, container }: { readonly uid: string; readonly container: string },
  kept: Kept,
): Promise<LogRecord[]> {
  if (records.length === 0) return [];
  const times = records.map(({ timeUnixNano = "0" }) => Number(BigInt(timeUnixNano) / 1_000_000n));
  const found = await kept({
    attributes: { "k8s.pod.uid": uid, "k8s.container.name": container },
    from: Math.min(...times),
    to: Math.max(...times),
    limit: mostKept,
  });
  const counts = new Map<string, number>();
  for (const { record } of found) counts.set(keyOf(record), (counts.get(keyOf(record)) ?? 0) + 1);
  return records.filter((record) => {
    const count = counts.get(keyOf(record)) ?? 0;
    counts.set(keyOf(record), count - 1);
    return count <= 0;
  });
}

const keyOf = ({ observedTimeUnixNano, attributes, body }: LogRecord): string =>
  `${observedTimeUnixNano} ${attribute(attributes, "log.iostream")} ${textOf(body)}`;
