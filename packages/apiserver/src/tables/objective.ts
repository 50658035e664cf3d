/** Rows of ServiceLevelObjectives. */
import { defaultObjectiveWindow, parsePeriod, type ServiceLevelObjective } from "@flotilla/objects";
import { conditionOf } from "./cells.ts";
import { ageColumn, type Printer, printer, text } from "./printer.ts";

/** In the shortest window: what goes on now. */
function burnRate({ status }: ServiceLevelObjective): string {
  const [first] = Object.entries(status?.burnRates ?? {}).sort(
    ([left], [right]) => (parsePeriod(left) ?? 0) - (parsePeriod(right) ?? 0),
  );
  return first ? String(first[1]) : "";
}

function state({ metadata, status }: ServiceLevelObjective): string {
  if (metadata.deletionTimestamp) return "Terminating";
  const healthy = conditionOf(status?.conditions, "Healthy");
  if (!healthy) return "Pending";
  if (healthy.status === "True") return "Healthy";
  const alerting = conditionOf(status?.conditions, "Alerting");
  return alerting?.status === "True" ? `Alerting: ${alerting.reason}` : healthy.reason || "Unknown";
}

export const objectivePrinter: Printer<ServiceLevelObjective> = printer(
  text("Service", ({ spec }) => spec.service),
  text("Objective", ({ spec }) => `${spec.target} over ${spec.window ?? defaultObjectiveWindow}`),
  text("Budget Left", ({ status }) =>
    status?.errorBudget ? `${Math.round(status.errorBudget.remaining * 1000) / 10}%` : "",
  ),
  text("Burn Rate", burnRate),
  text("State", state),
  ageColumn,
);
