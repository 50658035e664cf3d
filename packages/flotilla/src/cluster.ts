/** What a cluster is, apart from its objects: identity, addresses, ports, tokens. Made once, kept in cluster.json. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock, systemRandom, uuid } from "@flotilla/ambient";
import { addressRange, claimAddressRange, registryFolder } from "./address-range.ts";
import { claimPort } from "./claim-port.ts";
import { CommandError } from "./errors.ts";
import { freePorts } from "./free-port.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

export interface Cluster {
  readonly id: string;
  /** Of the 512 ranges of loopback addresses (`address-range.ts`). */
  readonly range: number;
  readonly ports: {
    readonly api: number;
    readonly kubelet: number;
    readonly gateway: number;
    /** OTLP over HTTP and over gRPC: where services send their telemetry. */
    readonly otlpHttp: number;
    readonly otlpGrpc: number;
    /** Prometheus' API, and ours for traces and logs. */
    readonly query: number;
  };
  /** Bearer tokens: the user's, the agent's, the data plane's, telemetry's, and the one that the API server shows to the agent. */
  readonly tokens: {
    readonly admin: string;
    readonly node: string;
    readonly dataPlane: string;
    readonly telemetry: string;
    readonly kubelet: string;
  };
}

/** What a cluster has been given later than others (telemetry) is added when it is opened. */
const isWhole = ({ id, range, ports, tokens }: Partial<Cluster>): boolean =>
  [id, tokens?.admin, tokens?.node, tokens?.dataPlane, tokens?.kubelet].every((text) => typeof text === "string") &&
  [range, ports?.api, ports?.kubelet, ports?.gateway].every(Number.isInteger);

const read = (file: string): Cluster | undefined => {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, "utf8");
  try {
    const cluster = JSON.parse(text);
    if (isWhole(cluster)) return cluster;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  throw new CommandError(
    `${file} is damaged; nothing was deleted. Put a copy back in its place, or start anew, without what was stored: flotilla up --reset`,
  );
};

/** Whether another cluster still has its range: what cannot be read may have it. */
function holds(owner: string, index: number): boolean {
  // Two names for one folder, or a folder copied with its state, are told apart by what the folder itself says.
  try {
    return read(join(owner, "cluster.json"))?.range === index;
  } catch {
    return true;
  }
}

/** Where clients look when nobody tells them. Sources: OTLP specification; Prometheus. */
const standardPorts = { otlpHttp: 4318, otlpGrpc: 4317, query: 9090 };

export const readCluster = (folder: StateFolder): Cluster | undefined => read(folder.cluster);

/**
 * The cluster of a state folder, made when there is none. Ports are kept from run to run as long as nobody else has taken
 * them, telemetry's where clients look for them; `gatewayPort` is what the user asked for.
 */
export async function openCluster(folder: StateFolder, gatewayPort: number): Promise<Cluster> {
  mkdirSync(folder.root, { recursive: true });
  chmodSync(folder.root, 0o755);
  const before = read(folder.cluster);
  const range = before?.range ?? claimAddressRange(registryFolder(), folder.root, holds);
  const cluster: Cluster = {
    id: before?.id ?? uuid(systemRandom),
    range,
    ports: await freePorts(
      {
        api: before?.ports.api ?? 0,
        kubelet: before?.ports.kubelet ?? 0,
        gateway: gatewayPort,
        ...standardPorts,
      },
      (port) => claimPort(join(registryFolder(), "..", "ports"), port, folder.root, systemClock.now()),
    ),
    tokens: {
      admin: token(),
      node: token(),
      dataPlane: token(),
      telemetry: token(),
      kubelet: token(),
      ...before?.tokens,
    },
  };
  // Renamed into place, so that a crash leaves the old or the new one.
  writeFileSync(`${folder.cluster}.new`, `${JSON.stringify(cluster, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${folder.cluster}.new`, folder.cluster);
  return cluster;
}

export const addressesOf = (cluster: Cluster) => addressRange(cluster.range);

export const clusterOf = (appFolder: string) => {
  const folder = stateFolder(appFolder);
  return { folder, cluster: readCluster(folder) };
};

const token = () => Buffer.from(systemRandom.bytes(24)).toString("base64url");
