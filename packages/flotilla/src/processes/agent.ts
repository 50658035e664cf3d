/** The agent's process: the node agent, whose pods are its children, and the loop that builds what is edited. */
import { flushCompileCache } from "node:module";
import { dirname, join } from "node:path";
import { sleep } from "@flotilla/ambient";
import { processRuntime, startAgent } from "@flotilla/node";
import { Namespaces } from "@flotilla/objects";
import { addressesOf } from "../cluster.ts";
import { apiAs, clock, host, logTo, nodeName, otlpEndpoint, random } from "../compose.ts";
import { lock, unlock } from "../lock.ts";
import { whenReachable } from "../reachable.ts";
import { runUntilTold, type Start } from "./run.ts";
import { commandOf, environmentOf } from "./spawn.ts";

/** Milliseconds, at most. */
const telemetryWaits = 5000;

const agent: Start = async ({ folder, cluster, arguments: [sync = "", ...flags], stop }) => {
  if (!lock(folder.agent)) throw new Error(`another process runs this cluster already; see ${folder.agent}`);
  // The command that we are attached to holds the other end; when it is gone, however it went, so are we.
  if (flags.includes("attached")) process.stdin.on("end", stop).on("error", stop).resume();
  const api = apiAs(folder, cluster, cluster.tokens.node, "flotilla-agent");
  const ended = new AbortController();
  const runtime = processRuntime({
    clock,
    stateDir: join(folder.node, "runtime"),
    nodeBinary: process.execPath,
    variant: variantFrom(process.env),
  });
  let loading: ReturnType<typeof load> | undefined;
  const load = async () => (await import("./sources.ts")).sourcesIn(dirname(folder.root), folder, api);
  const sources = () => (loading ??= load());
  // What the static pods load as well is compiled once.
  flushCompileCache();
  const apiReady = whenReachable(clock, ended.signal, () => api.get(Namespaces, { name: "default" }));
  // Telemetry takes as long to start as the control plane, for which everybody waits; without one it starts as well.
  const inAnyCase = sleep(clock, telemetryWaits);
  const telemetryStarts = Promise.race([apiReady.catch(() => inAnyCase), inAnyCase]);
  const running = await startAgent({
    api,
    clock,
    random,
    runtime,
    images: { resolve: async (reference) => (await sources()).images.resolve(reference) },
    nodeName,
    podCIDR: addressesOf(cluster).pods,
    stateDir: folder.node,
    hostIP: host,
    apiReady: apiReady.then(() => undefined),
    kubelet: { port: cluster.ports.kubelet, token: cluster.tokens.kubelet },
    otlp: { endpoint: otlpEndpoint(cluster) },
    // They are ended from the last to the first: telemetry hears of the others until they are gone.
    staticPods: (["telemetry", "control-plane", "data-plane"] as const).map((name) => ({
      name,
      command: commandOf(name, folder.root),
      env: environmentOf(name),
      ...(name === "telemetry" && { after: telemetryStarts }),
    })),
    log: logTo(process.stderr),
  });
  // Loading blocks this process: the static pods are on their way before.
  const developing = sleep(clock, 0)
    .then(sources)
    .then(({ developer }) => {
      developer.start(sync);
      return developer;
    });
  developing.catch((error) => {
    console.error(error);
    stop();
  });
  return {
    async stop() {
      ended.abort();
      await developing.then((developer) => developer.stop()).catch(() => {});
      await running.stop({ skipPreStop: true, graceMs: 10_000 });
      unlock(folder.agent);
    },
  };
};

const variantFrom = ({ FLOTILLA_RUNTIME }: NodeJS.ProcessEnv) => (FLOTILLA_RUNTIME === "plain" ? "plain" : undefined);

await runUntilTold("agent", agent);
