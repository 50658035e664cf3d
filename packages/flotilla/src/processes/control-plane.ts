/** The control plane's process: API server, store, controllers. The agent starts it as a static pod and restarts it when it dies. */
import {
  createControlPlane,
  serveApi,
  serviceAccountTokens,
  sqlitePersistence,
  type UserInfo,
} from "@flotilla/apiserver";
import { appController, generateSecret } from "@flotilla/app";
import { type Controller, runControllers } from "@flotilla/client";
import { ownerReads, ownerReadsName, workloadControllers } from "@flotilla/workloads";
import { addressesOf, type Cluster } from "../cluster.ts";
import { clock, host, logTo, nodeName, random } from "../compose.ts";
import { readCertificates, serviceAccountKey } from "../kubeconfig.ts";
import { ensureSystemObjects } from "../system-objects.ts";
import { runUntilTold, type Start } from "./run.ts";

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
    [tokens.telemetry, user("system:flotilla:telemetry")],
  ]);
}

const controlPlane: Start = async ({ folder, cluster }) => {
  const { ca, cert, key } = readCertificates(folder);
  const users = usersOf(cluster);
  const tokens = serviceAccountTokens(serviceAccountKey(folder), clock);
  const plane = await createControlPlane({
    clock,
    random,
    persistence: sqlitePersistence(folder.database),
    serviceCIDR: addressesOf(cluster).services,
    certificateAuthority: ca,
    tokens,
    endpoint: { address: host, port: cluster.ports.api },
  });
  await ensureSystemObjects(plane.api(), host, cluster.ports.kubelet);
  const server = await serveApi({
    registry: plane.registry,
    clock,
    random,
    host,
    port: cluster.ports.api,
    tls: { cert, key },
    authenticate: (token) => users.get(token) ?? tokens.userOf(token, plane.registry),
    kubelet: { token: cluster.tokens.kubelet },
  });
  const api = plane.api(undefined, "flotilla-controllers");
  const reads = ownerReads(api);
  const controllers = runControllers({
    api,
    clock,
    random,
    controllers: [
      ...workloadControllers({ volumesRoot: folder.volumes, clusterCA: ca, ownerReads: reads }),
      appController as Controller,
    ],
    effects: { [ownerReadsName]: reads.read, "generate-secret": generateSecret(api, random) },
    resources: async () => plane.registry.resources(),
    log: logTo(process.stderr),
  });
  return {
    async stop() {
      await controllers.stop();
      await server.close();
      await plane.close();
    },
  };
};

await runUntilTold("control plane", controlPlane);
