/** Rows of Flotilla's own kinds. */
import type { App } from "@flotilla/objects";
import { conditionOf } from "./cells.ts";
import { ageColumn, type Printer, printer, text } from "./printer.ts";

const isReady = (service: unknown): boolean =>
  typeof service === "object" && service !== null && "state" in service && service.state === "ready";

export const appPrinter: Printer<App> = printer(
  text("Ready", ({ spec, status }) => {
    const names = Object.keys(spec.services ?? {});
    return `${names.filter((name) => isReady(status?.services?.[name])).length}/${names.length}`;
  }),
  text("Status", ({ metadata, status }) => {
    if (metadata.deletionTimestamp) return "Terminating";
    const ready = conditionOf(status?.conditions, "Ready");
    if (!ready) return "Pending";
    return ready.status === "True" ? "Ready" : ready.reason || "NotReady";
  }),
  ageColumn,
);
