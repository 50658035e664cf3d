/** Lines of logs found in what telemetry keeps: by trace, text, level; also those of pods that are gone. */
import { sleep, systemClock } from "@flotilla/ambient";
import { attribute, type FoundLog, type LogSearch, plain, type Telemetry } from "@flotilla/telemetry/ask";
import { CommandError, exitCodes } from "./errors.ts";

export interface Line {
  /** RFC 3339. */
  readonly time: string;
  /** As it was written; may be several lines. */
  readonly text: string;
  readonly service: string;
  readonly pod: string;
  readonly container: string;
  readonly namespace?: string;
  readonly level?: string;
  readonly traceId?: string;
  readonly spanId?: string;
  /** Of a mark: its name, what it is about ("Deployment orders"), an Event's reason, who made a change. */
  readonly event?: string;
  readonly object?: string;
  readonly reason?: string;
  readonly by?: string;
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
  const look = () => telemetry.logs({ ...search, ...(after !== undefined && { after }) });
  let found = await look();
  for (;;) {
    for (const each of found) yield lineOf(each);
    after = found.reduce((last, { id }) => (last === undefined || later(id, last) ? id : last), after);
    if (!follow) return;
    await sleep(systemClock, every);
    // Nothing yet: from now on it is what comes in that counts, however long that takes.
    if (after === undefined && search.from === undefined) search = { ...search, from: systemClock.now() - every };
    found = await look().catch((error: unknown) => {
      // Telemetry that has died is started again, with what it had.
      if (error instanceof CommandError) return [];
      throw error;
    });
  }
}

/** Ids grow; they are compared as the numbers that they hold. */
const later = (a: string, b: string) => a.length > b.length || (a.length === b.length && a > b);

export function lineOf({ resource, record }: FoundLog): Line {
  const of = (key: string) => attribute(resource.attributes, key) ?? "";
  const said = (key: string) => attribute(record.attributes, key);
  const nanos = BigInt(record.timeUnixNano ?? record.observedTimeUnixNano ?? "0");
  const object = [said("k8s.object.kind"), said("k8s.object.name")].filter(Boolean).join(" ");
  const namespace = of("k8s.namespace.name");
  const [reason, by] = [said("k8s.event.reason"), said("flotilla.change.who")];
  return {
    time: new Date(Number(nanos / 1_000_000n)).toISOString(),
    text: bodyOf(record.body),
    service: of("service.name"),
    pod: of("k8s.pod.name"),
    container: of("k8s.container.name"),
    ...(namespace && { namespace }),
    ...(record.severityText && { level: record.severityText }),
    ...(record.traceId && { traceId: record.traceId }),
    ...(record.spanId && { spanId: record.spanId }),
    ...(record.eventName && {
      event: record.eventName,
      ...(object && { object }),
      ...(reason && { reason }),
      ...(by && { by }),
    }),
  };
}

/** The text of a record's body. */
function bodyOf(body: FoundLog["record"]["body"]): string {
  const value = body === undefined ? "" : plain(body);
  return typeof value === "string" ? value : JSON.stringify(value);
}
