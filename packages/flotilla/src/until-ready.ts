/** Follows an App until all of it is ready, and on, telling each change; gives up when waiting helps nobody. */
import { relative } from "node:path";
import { type Cancel, systemClock } from "@flotilla/ambient";
import { Apps } from "@flotilla/objects";
import { annotations } from "./annotations.ts";
import { CommandError } from "./errors.ts";
import { follow } from "./follow.ts";
import { outputs } from "./last-output.ts";
import { controlPlaneSaid } from "./last-words.ts";
import { reallyReady } from "./really-ready.ts";
import type { Application, Run } from "./run-of-app.ts";
import { isSettled, isStuck, type ServiceState, serviceStates, unknownStates } from "./service-state.ts";
import type { Reporter } from "./up-reporter.ts";

/** Milliseconds for which services may all be failing, or the API silent, before it is said. */
export const patience = 10_000;

export interface Waiting {
  readonly app: Application;
  readonly run: Run;
  readonly report: Reporter;
  /** When the command started, ms since the epoch. */
  readonly started: number;
  /** Return when all is ready, or when there is no hope of it within so many seconds; undefined: follow until `ended`. */
  readonly atMost: number | undefined;
  /** Aborted from outside, and from here: with a CommandError, "time" or "stuck". */
  readonly ended: AbortController;
}

export interface Outcome {
  readonly ready: boolean;
  /** As last seen; empty: the API has told nothing. */
  readonly states: readonly ServiceState[];
}

export async function untilReady({ app, run, report, started, atMost, ended }: Waiting): Promise<Outcome> {
  const { api, cluster, sync, joined } = run;
  const { namespace, name, folder, hasRoutes } = app;
  const waits = atMost !== undefined;
  const withOutput = outputs(api, { namespace, name });
  let states: ServiceState[] = [];
  let thisRun = joined !== undefined;
  let synced = false;
  let ready = false;
  // When nothing but failures is left, they get a moment to recover; then waiting any longer helps nobody.
  let giveUp: Cancel | undefined;
  const stuck = (isIt: boolean) => {
    if (isIt) giveUp ??= systemClock.after(patience, () => ended.abort("stuck"));
    else giveUp = void giveUp?.();
  };
  // An API that has told nothing by now has a reason, and only its log knows it.
  const silence = systemClock.after(patience, () => {
    const said = controlPlaneSaid(folder.node, started);
    if (states.length > 0 || !said) return;
    const text = `The control plane does not start. It says: ${said.line}\nIts log: ${said.folder}`;
    if (waits) ended.abort(new CommandError(text));
    else report.note(text);
  });
  const deadline = waits ? systemClock.after(atMost * 1000, () => ended.abort("time")) : undefined;
  try {
    for await (const object of follow(api, Apps, { namespace, name }, ended.signal)) {
      states = await withOutput(serviceStates(object));
      // Once carried out, a request stays so, whoever asks next.
      synced ||= object.metadata.annotations?.[annotations.synced] === sync;
      // What the App says first is how it was when it ran last.
      thisRun ||= synced || states.some(({ state }) => state === "building");
      report.states(thisRun ? states : unknownStates(states.map((one) => one.name)));
      if (ready || !synced) continue;
      if (isSettled(object, states) && (await reallyReady(api, object, cluster, hasRoutes, ended.signal))) {
        ready = true;
        report.ready({
          seconds: (systemClock.now() - started) / 1000,
          url: hasRoutes ? `http://localhost:${cluster.ports.gateway}` : undefined,
          kubeconfig: relative(process.cwd(), folder.kubeconfig) || folder.kubeconfig,
          dir: relative(process.cwd(), app.dir),
        });
        if (waits) break;
      }
      stuck(waits && isStuck(states));
    }
  } finally {
    silence();
    deadline?.();
    stuck(false);
    report.stop();
  }
  return { ready, states };
}
