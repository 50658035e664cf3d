/** The status of an App: its parts, and three conditions that a person understands. */
import { type App, type AppStatus, type Condition, setCondition } from "@flotilla/objects";
import type { PartStatus } from "./part-status.ts";

const names = (parts: readonly (readonly [string, PartStatus])[]): string => parts.map(([name]) => name).join(", ");

interface Judgement {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

function judge(parts: Readonly<Record<string, PartStatus>>): Record<"Ready" | "Progressing" | "Degraded", Judgement> {
  const all = Object.entries(parts);
  const of = (...states: readonly PartStatus["state"][]) => all.filter(([, part]) => states.includes(part.state));
  const failing = of("failing");
  const coming = of("waiting", "building", "starting");
  const words = failing.map(([name, { message }]) => `${name}: ${message ?? "failing"}`).join("; ");
  const step = of("building").length > 0 ? "Building" : of("starting").length > 0 ? "Starting" : "Waiting";
  const ready: Judgement =
    failing.length > 0
      ? { status: "False", reason: "Failing", message: words }
      : coming.length > 0
        ? { status: "False", reason: step, message: `not ready yet: ${names(coming)}` }
        : { status: "True", reason: "AllReady", message: "everything is ready" };
  return {
    Ready: ready,
    Progressing:
      coming.length > 0
        ? {
            status: "True",
            reason: step,
            message: coming.map(([name, { state, message }]) => `${name}: ${message ?? state}`).join("; "),
          }
        : { status: "False", reason: "Settled", message: "nothing is under way" },
    Degraded:
      failing.length > 0
        ? { status: "True", reason: "Failing", message: words }
        : { status: "False", reason: "AsExpected", message: "nothing fails" },
  };
}

function withConditions(app: App, judgements: Readonly<Record<string, Judgement>>, now: Date): Condition[] {
  let conditions = app.status?.conditions;
  for (const [type, judgement] of Object.entries(judgements))
    conditions = setCondition<Condition>(
      conditions,
      { type, ...judgement, observedGeneration: app.metadata.generation },
      now,
    );
  return conditions ?? [];
}

export const appStatus = (app: App, parts: Readonly<Record<string, PartStatus>>, now: Date): AppStatus => ({
  ...app.status,
  observedGeneration: app.metadata.generation,
  services: { ...parts },
  conditions: withConditions(app, judge(parts), now),
});

/** Of an App whose model has mistakes: what runs goes on as it is. */
export function invalidStatus(app: App, mistakes: readonly string[], now: Date): AppStatus {
  const message = mistakes.join("\n");
  const invalid: Judgement = { status: "False", reason: "Invalid", message };
  return {
    ...app.status,
    observedGeneration: app.metadata.generation,
    conditions: withConditions(app, { Ready: invalid, Degraded: { ...invalid, status: "True" } }, now),
  };
}
