// flotilla up: starts the agent, which starts everything else, and follows what the API says until all is ready, then until Ctrl-C.
import { systemClock } from "@flotilla/ambient";
import { CommandError, exitCodes } from "../errors.ts";
import { lastOutput } from "../last-output.ts";
import { requestSync } from "../request-sync.ts";
import { type Application, applicationToRun, type BeginOptions, begin, type Run } from "../run-of-app.ts";
import { type ServiceState, settledStates, unknownStates } from "../service-state.ts";
import { announced, turnOver } from "../starting.ts";
import { stopAgent } from "../stop-agent.ts";
import { untilReady } from "../until-ready.ts";
import { jsonReporter, lineReporter, liveReporter, type Reporter } from "../up-reporter.ts";
import { stopped } from "./down.ts";

export interface UpOptions extends BeginOptions {
  /** Seconds; with `detach`. */
  readonly timeout: number;
  readonly output?: "json";
}

export async function up(dir: string, options: UpOptions): Promise<void> {
  const started = systemClock.now() - process.uptime() * 1000;
  const app = await applicationToRun(dir);
  const report = reporter(options, app.name);
  const run = await begin(app, options, report.note);
  report.states(unknownStates(app.services));
  const { agent, joined } = run;

  const ended = new AbortController();
  const interrupted = onInterrupt((again) => stopOrLeave(run, report, ended, again));
  void agent?.died.then((why) => {
    if (ended.signal.aborted) return;
    report.stop();
    if (why === undefined) report.note("Another command has stopped it.");
    ended.abort(
      why === undefined ? "stopped" : new CommandError(`The agent ended: ${why}\nIts log: ${app.folder.log}`),
    );
  });
  if (agent) await announced(app.folder, agent.pid, ended.signal, systemClock);
  turnOver(app.folder);
  if (joined !== undefined) {
    report.note(`It runs already (process ${joined}); applying what changed.`);
    await requestSync(app, run, ended.signal);
  }

  const atMost = options.detach ? options.timeout : undefined;
  const { ready, states } = await untilReady({ app, run, report, started, atMost, ended });
  await interrupted.handled;
  agent?.release();
  const { reason } = ended.signal;
  if (reason instanceof CommandError) throw reason;
  if (interrupted.happened) process.exitCode = exitCodes.interrupted;
  else if (options.detach && !ready) {
    process.exitCode = exitCodes.failed;
    if (reason !== "stopped") await tellWhatIsNotReady(app, run, report, states, options.timeout);
  }
}

/** Ctrl-C: what we started is stopped in order, and killed by the second; what ran before goes on. */
async function stopOrLeave({ agent }: Run, report: Reporter, ended: AbortController, again: boolean): Promise<void> {
  ended.abort();
  report.stop();
  if (!agent) return report.note("It runs on; `flotilla down` stops it.");
  if (again) return void process.kill(agent.pid, "SIGKILL");
  report.note("Stopping ... (Ctrl-C again to kill)");
  await stopAgent(agent.pid);
  report.note(stopped);
}

async function tellWhatIsNotReady(
  { folder, namespace, name }: Application,
  { api }: Run,
  report: Reporter,
  states: readonly ServiceState[],
  seconds: number,
): Promise<void> {
  if (states.length === 0)
    throw new CommandError(`Its API has told nothing in ${seconds} s. It runs on; its log: ${folder.log}`);
  const unsettled = states.filter(({ state }) => !settledStates.includes(state));
  const withOutput = unsettled.map(async (state) => ({
    ...state,
    // Its last lines would help; where they cannot be had, the state is told without.
    output: await lastOutput(api, { namespace, name }, state.name).catch(() => []),
  }));
  report.notReady(await Promise.all(withOutput));
}

function reporter(options: UpOptions, name: string): Reporter {
  if (options.output === "json") return jsonReporter(process.stdout);
  return process.stdout.isTTY ? liveReporter(process.stdout, name) : lineReporter(process.stdout);
}

/** Runs `handle` at the first Ctrl-C, SIGTERM or closed terminal, and again at the second. */
function onInterrupt(handle: (again: boolean) => Promise<void> | void) {
  const state = { happened: false, handled: Promise.resolve() as Promise<void> };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      const again = state.happened;
      state.happened = true;
      const handled = Promise.resolve(handle(again));
      if (!again) state.handled = handled;
    });
  return state;
}
