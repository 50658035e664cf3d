/** The agent's process: the node agent, whose pods are its children, and the loop that builds what is edited. */
import { flushCompileCache } from "node:module";
import { dirname, join } from "node:path";
import { ImageStore } from "@flotilla/image";
import { processRuntime, startAgent } from "@flotilla/node";
import { Namespaces } from "@flotilla/objects";
import { buildHere } from "../build-here.ts";
import { addressesOf } from "../cluster.ts";
import { apiAs, clock, host, logTo, nodeName, random } from "../compose.ts";
import { Developer } from "../develop.ts";
import { images } from "../images.ts";
import { lock, unlock } from "../lock.ts";
import { sourcesOf } from "../model.ts";
import { whenReachable } from "../reachable.ts";
import { watchFolder } from "../watch-folder.ts";
import { runUntilTold, type Start } from "./run.ts";
import { commandOf, compileCache } from "./spawn.ts";

const agent: Start = async ({ folder, cluster, arguments: [sync = "", ...flags], stop }) => {
  if (!lock(folder.agent)) throw new Error(`another process runs this cluster already; see ${folder.agent}`);
  // The command that we are attached to holds the other end; when it is gone, however it went, so are we.
  if (flags.includes("attached")) process.stdin.on("end", stop).on("error", stop).resume();
  const api = apiAs(folder, cluster, cluster.tokens.node, "flotilla-agent");
  const ended = new AbortController();
  const store = new ImageStore(folder.images);
  const runtime = processRuntime({
    clock,
    stateDir: join(folder.node, "runtime"),
    nodeBinary: process.execPath,
    variant: variantFrom(process.env),
  });
  // What the static pods load as well is compiled once.
  flushCompileCache();
  const running = await startAgent({
    api,
    clock,
    random,
    runtime,
    images: images(store, folder.compiled),
    nodeName,
    podCIDR: addressesOf(cluster).pods,
    stateDir: folder.node,
    hostIP: host,
    apiReady: whenReachable(clock, ended.signal, () => api.get(Namespaces, { name: "default" })).then(() => undefined),
    kubelet: { port: cluster.ports.kubelet, token: cluster.tokens.kubelet },
    staticPods: (["control-plane", "data-plane"] as const).map((name) => ({
      name,
      command: commandOf(name, folder.root),
      env: { NODE_COMPILE_CACHE: compileCache() },
    })),
    log: logTo(process.stderr),
  });
  const place = dirname(folder.root);
  const developer = new Developer({
    api,
    clock,
    read: () => sourcesOf(place),
    build: (name, input, appName) =>
      buildHere(store, `${appName}-${name}`, input, (text) => console.error(`${name}: ${text}`)),
    watch: (changed) => watchFolder(place, changed),
    log: (text) => console.error(text),
  });
  developer.start(sync);
  return {
    async stop() {
      ended.abort();
      await developer.stop();
      await running.stop({ skipPreStop: true, graceMs: 10_000 });
      unlock(folder.agent);
    },
  };
};

const variantFrom = ({ FLOTILLA_RUNTIME }: NodeJS.ProcessEnv) => (FLOTILLA_RUNTIME === "plain" ? "plain" : undefined);

await runUntilTold("agent", agent);
