// flotilla up: starts the agent, which starts everything else, and follows what the API says until all is ready, then until Ctrl-C.
import { rmSync } from "node:fs";
import { relative } from "node:path";
import { type Cancel, systemClock, systemRandom, uuid } from "@flotilla/ambient";
import { local } from "@flotilla/app";
import { ApiUnreachableError, httpApi } from "@flotilla/client";
import { Apps, isNotFound } from "@flotilla/objects";
import { startAgent } from "../agent-process.ts";
import { annotations } from "../annotations.ts";
import { type Cluster, openCluster, readCluster } from "../cluster.ts";
import { applicationFolder, asArgument } from "../cluster-folder.ts";
import { unanswered } from "../connect.ts";
import { CommandError, exitCodes } from "../errors.ts";
import { follow } from "../follow.ts";
import { ensureCertificates, readCertificates, serverOf, writeKubeconfig } from "../kubeconfig.ts";
import { lastOutput, outputs } from "../last-output.ts";
import { controlPlaneSaid } from "../last-words.ts";
import { holderOf } from "../lock.ts";
import { checkedModel } from "../model.ts";

import { whenThere } from "../reachable.ts";
import { reallyReady } from "../really-ready.ts";
import {
  isSettled,
  isStuck,
  type ServiceState,
  serviceStates,
  settledStates,
  unknownStates,
} from "../service-state.ts";
import { announced, ourTurn, turnOver } from "../starting.ts";
import { stateFolder } from "../state-folder.ts";
import { stopAgent, stopped } from "./down.ts";
import { jsonReporter, lineReporter, liveReporter, type Reporter } from "./up-reporter.ts";

export interface UpOptions {
  detach?: boolean;
  port?: number;
  reset?: boolean;
  timeout?: number;
  output?: "json";
}

/** Where a newcomer expects the shop. */
const defaultPort = 8080;

/** Milliseconds for which services may all be failing before `up --detach` says so. */
const patience = 10_000;

const unsettled = (states: readonly ServiceState[]) => states.filter(({ state }) => !settledStates.includes(state));

export async function up(dir: string, options: UpOptions): Promise<void> {
  const started = systemClock.now() - process.uptime() * 1000;
  const appFolder = applicationFolder(dir);
  // Before anything is touched: a model with mistakes changes nothing.
  const { name, namespace, hasRoutes, services } = await checkedModel(appFolder, local, false);
  const folder = stateFolder(appFolder);
  const report = reporter(options, name);

  await ourTurn(folder, systemClock);
  const before = holderOf(folder.agent);
  if (options.reset) {
    if (before) await stopAgent(before.pid);
    rmSync(folder.root, { recursive: true, force: true });
    await ourTurn(folder, systemClock);
  }
  const joins = before !== undefined && !options.reset;
  const sync = uuid(systemRandom);
  const wanted = options.port ?? defaultPort;
  const cluster = joins ? (readCluster(folder) as Cluster) : await openCluster(folder, wanted);
  if (!joins && cluster.ports.gateway !== wanted)
    report.note(`Port ${wanted} is taken; the gateway listens on ${cluster.ports.gateway}.`);
  if (joins && options.port && options.port !== cluster.ports.gateway)
    throw new CommandError(
      `It runs already, on port ${cluster.ports.gateway}. To move it: flotilla down, then flotilla up --port ${options.port}`,
    );
  const { ca } = joins ? readCertificates(folder) : await ensureCertificates(folder, cluster);
  writeKubeconfig(folder, cluster, ca, namespace);
  report.states(unknownStates(services));

  const agent = joins ? undefined : startAgent(folder, sync, options.detach === true);
  const api = httpApi({ server: serverOf(cluster), ca, token: cluster.tokens.admin, userAgent: "flotilla-up" });
  const ended = new AbortController();
  const interrupted = onInterrupt(async (again) => {
    ended.abort();
    report.stop();
    if (!agent) return report.note("It runs on; `flotilla down` stops it.");
    if (again) return void process.kill(agent.pid, "SIGKILL");
    report.note("Stopping ... (Ctrl-C again to kill)");
    await stopAgent(agent.pid);
    report.note(stopped);
  });
  agent?.died.then((why) => {
    if (ended.signal.aborted) return;
    report.stop();
    if (why === undefined) report.note("Another command has stopped it.");
    ended.abort(why === undefined ? "stopped" : new CommandError(`The agent ended: ${why}\nIts log: ${folder.log}`));
  });
  if (agent) await announced(folder, agent.pid, ended.signal, systemClock);
  turnOver(folder);

  if (joins) {
    report.note(`It runs already (process ${before.pid}); applying what changed.`);
    const request = () =>
      api.write({
        verb: "patch",
        type: "merge",
        resource: Apps,
        namespace,
        name,
        patch: { metadata: { annotations: { [annotations.syncRequested]: sync } } },
      });
    // It may have been started a moment ago.
    const limit = new AbortController();
    const cancel = systemClock.after(patience, () => limit.abort());
    const asked = whenThere(systemClock, AbortSignal.any([limit.signal, ended.signal]), request).finally(cancel);
    await asked.catch((error) => {
      if (ended.signal.aborted) return;
      if (error instanceof ApiUnreachableError)
        throw new CommandError(`${unanswered(folder, error)}\nIt is stopped by: flotilla down${asArgument(appFolder)}`);
      if (isNotFound(error))
        throw new CommandError(
          `What runs here is not ${name}: stop it first, with: flotilla down${asArgument(appFolder)}`,
        );
      throw error;
    });
  }

  const withOutput = outputs(api, { namespace, name });
  let states: ServiceState[] = [];
  let thisRun = joins;
  let synced = false;
  let ready = false;
  // When nothing but failures is left, they get a moment to recover; then waiting any longer helps nobody.
  let giveUp: Cancel | undefined;
  const stuck = (isStuck: boolean) => {
    if (isStuck) giveUp ??= systemClock.after(patience, () => ended.abort("stuck"));
    else giveUp = void giveUp?.();
  };
  // An API that has told nothing by now has a reason, and only its log knows it.
  const silence = systemClock.after(patience, () => {
    const said = controlPlaneSaid(folder.node, started);
    if (states.length > 0 || !said) return;
    const text = `The control plane does not start. It says: ${said.line}\nIts log: ${said.folder}`;
    if (options.detach) ended.abort(new CommandError(text));
    else report.note(text);
  });
  const deadline = options.detach
    ? systemClock.after((options.timeout ?? 180) * 1000, () => ended.abort("time"))
    : undefined;
  try {
    for await (const app of follow(api, Apps, { namespace, name }, ended.signal)) {
      states = await withOutput(serviceStates(app));
      // Once carried out, a request stays so, whoever asks next.
      synced ||= app.metadata.annotations?.[annotations.synced] === sync;
      // What the App says first is how it was when it ran last.
      thisRun ||= synced || states.some(({ state }) => state === "building");
      report.states(thisRun ? states : unknownStates(states.map((one) => one.name)));
      if (ready || !synced) continue;
      if (isSettled(app, states) && (await reallyReady(api, app, cluster, hasRoutes, ended.signal))) {
        ready = true;
        report.ready({
          seconds: (systemClock.now() - started) / 1000,
          url: hasRoutes ? `http://localhost:${cluster.ports.gateway}` : undefined,
          kubeconfig: relative(process.cwd(), folder.kubeconfig) || folder.kubeconfig,
          dir: relative(process.cwd(), appFolder),
        });
        if (options.detach) break;
      }
      stuck(options.detach === true && isStuck(states));
    }
  } finally {
    silence();
    deadline?.();
    stuck(false);
    report.stop();
  }
  if (ended.signal.reason instanceof CommandError) {
    agent?.release();
    throw ended.signal.reason;
  }
  if (options.detach && !ready && ended.signal.reason === "stopped") {
    process.exitCode = exitCodes.failed;
    return;
  }
  if (options.detach && !ready && !interrupted.happened) {
    agent?.release();
    process.exitCode = exitCodes.failed;
    if (states.length === 0)
      throw new CommandError(`Its API has told nothing in ${options.timeout} s. It runs on; its log: ${folder.log}`);
    report.notReady(
      await Promise.all(
        unsettled(states).map(async (state) => ({
          ...state,
          output: await lastOutput(api, { namespace, name }, state.name).catch(() => []),
        })),
      ),
    );
    return;
  }
  await interrupted.handled;
  if (interrupted.happened) process.exitCode = exitCodes.interrupted;
  agent?.release();
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
