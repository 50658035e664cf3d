/** What `flotilla up` works on: the application of a folder, and its cluster, opened by us or running already. */
import { rmSync } from "node:fs";
import { systemClock, systemRandom, uuid } from "@flotilla/ambient";
import { local } from "@flotilla/app";
import { type HttpApi, httpApi } from "@flotilla/client";
import { type AgentProcess, startAgent } from "./agent-process.ts";
import { type Cluster, openCluster, readCluster } from "./cluster.ts";
import { applicationFolder } from "./cluster-folder.ts";
import { CommandError } from "./errors.ts";
import { ensureCertificates, readCertificates, serverOf, writeKubeconfig } from "./kubeconfig.ts";
import { holderOf } from "./lock.ts";
import { checkedModel } from "./model.ts";
import { ourTurn } from "./starting.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";
import { stopAgent } from "./stop-agent.ts";

export interface Application {
  /** Absolute. */
  readonly dir: string;
  readonly folder: StateFolder;
  readonly name: string;
  readonly namespace: string;
  readonly hasRoutes: boolean;
  /** Names of its services. */
  readonly services: readonly string[];
}

export interface Run {
  readonly cluster: Cluster;
  readonly api: HttpApi;
  /** Undefined: it ran already, as process `joined`. */
  readonly agent: AgentProcess | undefined;
  readonly joined: number | undefined;
  /** The request to read and build the folder whose answer we wait for. */
  readonly sync: string;
}

/** Where a newcomer expects the shop. */
const defaultPort = 8080;

/** A model with mistakes is refused here, before anything is touched. */
export async function applicationToRun(place: string): Promise<Application> {
  const dir = applicationFolder(place);
  const { name, namespace, hasRoutes, services } = await checkedModel(dir, local, false);
  return { dir, folder: stateFolder(dir), name, namespace, hasRoutes, services };
}

export interface BeginOptions {
  readonly port?: number;
  readonly reset?: boolean;
  readonly detach?: boolean;
}

/** Takes its turn among commands that start this cluster; whoever calls ends it (`turnOver`) when the agent has announced itself. */
export async function begin(app: Application, options: BeginOptions, note: (text: string) => void): Promise<Run> {
  const { folder } = app;
  await ourTurn(folder, systemClock);
  let holder = holderOf(folder.agent);
  if (options.reset) {
    if (holder) await stopAgent(holder.pid);
    rmSync(folder.root, { recursive: true, force: true });
    await ourTurn(folder, systemClock);
    holder = undefined;
  }
  const cluster = holder ? joinable(folder, options.port) : await opened(folder, options.port ?? defaultPort, note);
  const { ca } = holder ? readCertificates(folder) : await ensureCertificates(folder, cluster);
  writeKubeconfig(folder, cluster, ca, app.namespace);
  const sync = uuid(systemRandom);
  return {
    cluster,
    sync,
    joined: holder?.pid,
    agent: holder ? undefined : startAgent(folder, sync, options.detach === true),
    api: httpApi({ server: serverOf(cluster), ca, token: cluster.tokens.admin, userAgent: "flotilla-up" }),
  };
}

async function opened(folder: StateFolder, port: number, note: (text: string) => void): Promise<Cluster> {
  const cluster = await openCluster(folder, port);
  if (cluster.ports.gateway !== port) note(`Port ${port} is taken; the gateway listens on ${cluster.ports.gateway}.`);
  return cluster;
}

function joinable(folder: StateFolder, port: number | undefined): Cluster {
  const cluster = readCluster(folder) as Cluster;
  if (port !== undefined && port !== cluster.ports.gateway)
    throw new CommandError(
      `It runs already, on port ${cluster.ports.gateway}. To move it: flotilla down, then flotilla up --port ${port}`,
    );
  return cluster;
}
