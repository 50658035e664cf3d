/** From a folder to the API of what runs there, and to its App. */
import { ApiUnreachableError, type HttpApi, httpApi } from "@flotilla/client";
import { type App, Apps } from "@flotilla/objects";
import type { Cluster } from "./cluster.ts";
import { runningCluster } from "./cluster-folder.ts";
import { CommandError } from "./errors.ts";
import { readCertificates, serverOf } from "./kubeconfig.ts";
import { controlPlaneSaid } from "./last-words.ts";
import type { StateFolder } from "./state-folder.ts";

export interface Connection {
  readonly api: HttpApi;
  readonly cluster: Cluster;
  readonly folder: StateFolder;
  /** A GET of anything else the API serves; the body as it comes. */
  request(path: string): Promise<AsyncIterable<Uint8Array>>;
  json<T>(path: string): Promise<T>;
}

const connections = new Map<string, Connection>();

export function connect(dir: string): Connection {
  const known = connections.get(dir);
  if (known) return known;
  const { folder, cluster } = runningCluster(dir);
  const { ca } = readCertificates(folder);
  const api = httpApi({ server: serverOf(cluster), ca, token: cluster.tokens.admin, userAgent: "flotilla" });
  // A log that is followed may be silent for long.
  const request = (path: string) => api.request(path, { idleTimeout: 0 });
  const connection: Connection = {
    api,
    cluster,
    folder,
    request: async (path) => (await request(path)).body,
    async json<T>(path: string) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of (await request(path)).body) chunks.push(chunk);
      return JSON.parse(Buffer.concat(chunks).toString("utf8")) as T;
    },
  };
  connections.set(dir, connection);
  return connection;
}

/** Why a control plane that should run does not answer, as far as it is known here. */
export function unanswered(folder: StateFolder, error: ApiUnreachableError): string {
  const said = controlPlaneSaid(folder.node, 0);
  const why = said ? ` It said last: ${said.line}\nIts log: ${said.folder}` : "";
  return `The control plane does not answer (${error.message}); it is restarted when it has died.${why}`;
}

/** The App that runs from this folder. There is one per cluster on a laptop. */
export async function applicationOf(dir: string): Promise<Connection & { app: App }> {
  const connection = connect(dir);
  const { folder } = connection;
  try {
    const { items } = await connection.api.list(Apps);
    const [app] = items;
    if (!app) throw new CommandError("It is still starting; try again in a moment.");
    return { ...connection, app };
  } catch (error) {
    if (error instanceof ApiUnreachableError) throw new CommandError(unanswered(folder, error));
    throw error;
  }
}
