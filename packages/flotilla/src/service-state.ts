/** What a user is told of each part of an application, read from the App's status. Pure. */
import type { App } from "@flotilla/objects";

export type State = "waiting" | "building" | "starting" | "ready" | "failing" | "left out" | "done";

export interface ServiceState {
  readonly name: string;
  readonly state: State;
  /** Why it is not ready, in a sentence. */
  readonly message?: string;
  /** Replicas; absent for what has none. */
  readonly ready?: number;
  readonly desired?: number;
  readonly version?: string;
  /** The end of its log, of one that fails. */
  readonly output?: readonly string[];
}

/** What package app writes to App.status.services for a service, a backing service or a job. */
interface PartStatus {
  state?: State;
  message?: string;
  ready?: number;
  desired?: number;
  version?: string;
}

/**
 * The parts in the order of the model. An image that is being made, or could not be, says more than the pods that wait for it:
 * but what runs already is not hidden by a build that failed.
 */
export function serviceStates(app: App): ServiceState[] {
  const builds = app.status?.builds ?? {};
  const parts = (app.status?.services ?? {}) as Record<string, PartStatus>;
  const names = new Set([...Object.keys(app.spec.services ?? {}), ...Object.keys(parts), ...Object.keys(builds)]);
  return [...names].map((name) => {
    const part = parts[name] ?? {};
    const build = builds[name];
    if (build?.state === "left out") return { name, state: "left out", message: build.message };
    if (build?.state === "failed") return { ...part, name, state: "failing", message: build.message };
    if (build?.state === "building" && part.state !== "ready")
      return { ...part, name, state: "building", message: undefined };
    return { ...part, name, state: part.state ?? "waiting" };
  });
}

/** What is shown before anything is known of this run. */
export const unknownStates = (names: readonly string[]): ServiceState[] =>
  names.map((name) => ({ name, state: "waiting" }));

/**
 * Nothing is under way, and something has failed: to wait any longer helps nobody. What waits for a part that fails is not
 * under way either.
 */
export const isStuck = (states: readonly ServiceState[]): boolean =>
  states.some(({ state }) => state === "failing") &&
  states.every(({ state }) => settledStates.includes(state) || state === "failing" || state === "waiting");

/** States in which nothing more is expected to happen. */
export const settledStates: readonly State[] = ["ready", "left out", "done"];

/** Everything runs as the App now asks; `generation`: of the App that must have been looked at. */
export const isSettled = (app: App, states: readonly ServiceState[]): boolean =>
  (app.status?.observedGeneration ?? 0) >= (app.metadata.generation ?? 0) &&
  states.every(({ state }) => settledStates.includes(state));
