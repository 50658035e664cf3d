/** The one place where everything is composed: which parts a process of the cluster is made of, and what they are given. */
import { join } from "node:path";
import { systemClock, systemRandom } from "@flotilla/ambient";
import { createControlPlane, serveApi, sqlitePersistence, type UserInfo } from "@flotilla/apiserver";
import { appControllers } from "@flotilla/app";
import { httpApi, runControllers } from "@flotilla/client";
import { startDataPlane } from "@flotilla/network";
import { processRuntime, startAgent } from "@flotilla/node";
import { workloadControllers } from "@flotilla/workloads";
import { addressesOf, type Cluster } from "./cluster.ts";
import { ensureGateway } from "./gateway-objects.ts";
import { readCertificates, serverOf } from "./kubeconfig.ts";
import type { Start } from "./processes/run.ts";
import type { StateFolder } from "./state-folder.ts";

const clock = systemClock;
const random = systemRandom;

/** Everything of one cluster is on one machine. */
export const host = "127.0.0.1";
export const nodeName = "laptop";

/** Who the bearer tokens of a cluster stand for. Until RBAC is there, a known token may do everything, any other nothing. */
function usersOf({ tokens }: Cluster): Map<string, UserInfo> {
  const user = (username: string, ...groups: string[]): UserInfo => ({
    username,
    groups: [...groups, "system:masters", "system:authenticated"],
  });
  return new Map([
    [tokens.admin, user("kubernetes-admin")],
    [tokens.node, user(`system:node:${nodeName}`, "system:nodes")],
    [tokens.dataPlane, user("system:kube-proxy")],
  ]);
}

export function apiAs(folder: StateFolder, cluster: Cluster, token: string, userAgent: string) {
  return httpApi({ server: serverOf(cluster), ca: readCertificates(folder).ca, token, userAgent, clock, random });
}

export const controlPlane: Start = async ({ folder, cluster }) => {
  const { ca, cert, key } = readCertificates(folder);
  const users = usersOf(cluster);
  const plane = await createControlPlane({
    clock,
    random,
    persistence: sqlitePersistence(folder.database),
    serviceCIDR: addressesOf(cluster).services,
    certificateAuthority: ca,
    endpoint: { address: host, port: cluster.ports.api },
  });
  await ensureGateway(plane.api());
  const server = await serveApi({
    registry: plane.registry,
    clock,
    random,
    host,
    port: cluster.ports.api,
    tls: { cert, key },
    authenticate: (token) => users.get(token),
    kubelet: { token: cluster.tokens.kubelet },
  });
  const controllers = runControllers({
    api: plane.api(undefined, "flotilla-controllers"),
    clock,
    random,
    controllers: [...workloadControllers({ volumesRoot: folder.volumes, clusterCA: ca }), ...appControllers()],
    resources: async () => plane.registry.resources(),
    log: (entry) => console.error(JSON.stringify(entry)),
  });
  return {
    async stop() {
      await controllers.stop();
      await server.close();
      await plane.close();
    },
  };
};
