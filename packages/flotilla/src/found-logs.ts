/** Lines of logs found in what telemetry keeps: by trace, text, level; also those of pods that are gone. */
import { sleep, systemClock } from "@flotilla/ambient";
import { attribute, type FoundLog, type LogSearch, type Telemetry } from "@flotilla/telemetry/ask";
import { CommandError, exitCodes } from "./errors.ts";
import { bodyOf } from "./waterfall.ts";

export interface Line {
  /** RFC 3339. */
  readonly time: string;
  readonly text: string;
  readonly service: string;
  readonly pod: string;
  readonly container: string;
  readonly level?: string;
  readonly traceId?: string;
  readonly spanId?: string;
}

/** Severity numbers by name. Source: OpenTelemetry logs data model. */
const levels: Readonly<Record<string, number>> = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 };

export function severity(level: string): number {
  const found = levels[level.toLowerCase().replace("warning", "warn")];
  if (found === undefined)
    throw new CommandError(`--level ${level}: one of ${Object.keys(levels).join(", ")}`, exitCodes.usage);
  return found;
}

/** Milliseconds between two looks for what is new. */
const every = 300;

/** What matches, oldest first; with `follow` also what comes later, without end. */
export async function* foundLines(telemetry: Telemetry, search: LogSearch, follow: boolean): AsyncGenerator<Line> {
  let after: string | undefined;
  for (;;) {
    const found = await telemetry.logs({ ...search, ...(after !== undefined && { after }) });
    for (const each of found) yield lineOf(each);
    after = found.reduce((last, { id }) => (last === undefined || later(id, last) ? id : last), after);
    if (!follow) return;
    await sleep(systemClock, every);
    // Nothing yet: from now on it is what comes in that counts, however long that takes.
    if (after === undefined && search.from === undefined) search = { ...search, from: systemClock.now() - every };
  }
}

/** Ids grow; they are compared as the numbers that they hold. */
const later = (a: string, b: string) => a.length > b.length || (a.length === b.length && a > b);

function lineOf({ resource, record }: FoundLog): Line {
  const of = (key: string) => attribute(resource.attributes, key) ?? "";
  const nanos = BigInt(record.timeUnixNano ?? record.observedTimeUnixNano ?? "0");
  return {
    time: new Date(Number(nanos / 1_000_000n)).toISOString(),
    text: bodyOf(record.body),
    service: of("service.name"),
    pod: of("k8s.pod.name"),
    container: of("k8s.container.name"),
    ...(record.severityText && { level: record.severityText }),
    ...(record.traceId && { traceId: record.traceId }),
    ...(record.spanId && { spanId: record.spanId }),
  };
}
