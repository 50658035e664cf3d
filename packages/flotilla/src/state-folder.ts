/** Where a cluster keeps what it must not forget: `.flotilla/` beside the application's file. Deleting it resets everything. */
import { join } from "node:path";

export const stateFolder = (appFolder: string): StateFolder => {
  const root = join(appFolder, ".flotilla");
  return {
    root,
    cluster: join(root, "cluster.json"),
    agent: join(root, "agent.json"),
    starting: join(root, "starting.json"),
    kubeconfig: join(root, "kubeconfig"),
    database: join(root, "state.db"),
    certificates: join(root, "certificates"),
    routes: join(root, "routes.json"),
    images: join(root, "images"),
    compiled: join(root, "compiled"),
    volumes: join(root, "volumes"),
    node: join(root, "node"),
    telemetry: join(root, "telemetry"),
    log: join(root, "agent.log"),
  };
};

export interface StateFolder {
  readonly root: string;
  /** Identity, addresses, ports and tokens of the cluster (`cluster.ts`); readable by its owner only. */
  readonly cluster: string;
  /** Which process runs the cluster (`lock.ts`). */
  readonly agent: string;
  /** Which command is about to start that process. */
  readonly starting: string;
  readonly kubeconfig: string;
  readonly database: string;
  readonly certificates: string;
  /** The data plane's last table, so that it serves before the API does. */
  readonly routes: string;
  readonly images: string;
  /** What Node.js compiled of each image, for the next start of its containers. */
  readonly compiled: string;
  readonly volumes: string;
  /** Logs and run-time state of the node agent. */
  readonly node: string;
  /** Traces, logs and metrics. */
  readonly telemetry: string;
  readonly log: string;
}
