/** Rows of Events, whichever of the two groups they were asked of. Source: kubernetes pkg/printers/internalversion. */
import type { Event, EventsEvent } from "@flotilla/objects";
import { nameColumn, type Printer, since, text, wide } from "./printer.ts";

interface Seen {
  readonly object?: { readonly kind?: string; readonly name?: string; readonly fieldPath?: string };
  readonly source?: { readonly component?: string; readonly host?: string };
  readonly message?: string;
  readonly first?: string;
  readonly last?: string;
  readonly count?: number;
}

/** The two groups name the same facts differently. */
function seen(event: Event | EventsEvent): Seen {
  if ("regarding" in event || "note" in event || "deprecatedCount" in event)
    return {
      object: event.regarding,
      source: event.deprecatedSource,
      message: event.note,
      first: event.deprecatedFirstTimestamp,
      last: event.deprecatedLastTimestamp,
      count: event.deprecatedCount,
    };
  const { involvedObject, source, message, firstTimestamp, lastTimestamp, count } = event as Event;
  return { object: involvedObject, source, message, first: firstTimestamp, last: lastTimestamp, count };
}

const firstSeen = (event: Event | EventsEvent): string | undefined => seen(event).first || event.eventTime;

const lastSeen = (event: Event | EventsEvent): string | undefined =>
  event.series ? event.series.lastObservedTime : seen(event).last || firstSeen(event);

const from = (event: Event | EventsEvent): string => {
  const { source } = seen(event);
  const component =
    source?.component ||
    ("reportingComponent" in event ? event.reportingComponent : (event as EventsEvent).reportingController);
  return [component, source?.host || event.reportingInstance].filter(Boolean).join(", ");
};

export const eventPrinter: Printer<Event | EventsEvent> = {
  columns: [
    text("Last Seen", (event, now) => since(lastSeen(event), now)),
    text("Type", ({ type }) => type ?? ""),
    text("Reason", ({ reason }) => reason ?? ""),
    text("Object", (event) => {
      const { kind = "", name } = seen(event).object ?? {};
      return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase();
    }),
    wide("Subobject", (event) => seen(event).object?.fieldPath ?? ""),
    wide("Source", from),
    text("Message", (event) => (seen(event).message ?? "").trim()),
    wide("First Seen", (event, now) => since(firstSeen(event), now)),
    wide("Count", (event) => event.series?.count ?? (seen(event).count || 1)),
    { ...nameColumn, priority: 1 },
  ],
};
