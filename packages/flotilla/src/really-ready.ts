/** Readiness as a user would test it: live reads instead of a status that may be a moment old, and the gateway's own answer. */
import { get } from "node:http";
import { sleep, systemClock } from "@flotilla/ambient";
import type { Api } from "@flotilla/client";
import { type App, isReady, Pods } from "@flotilla/objects";
import type { Cluster } from "./cluster.ts";

export async function reallyReady(api: Api, app: App, cluster: Cluster, hasRoutes: boolean, signal: AbortSignal) {
  const { namespace, name } = app.metadata;
  while (!signal.aborted) {
    const { items } = await api.list(Pods, { namespace, labelSelector: `app.kubernetes.io/part-of=${name}` });
    const serving = items.filter(
      ({ metadata, status }) =>
        !metadata.deletionTimestamp && status?.phase !== "Succeeded" && status?.phase !== "Failed",
    );
    if (serving.length > 0 && serving.every(isReady) && (!hasRoutes || (await answers(cluster.ports.gateway))))
      return true;
    await sleep(systemClock, 30, signal).catch(() => {});
  }
  return false;
}

/** Whether the gateway has somebody behind it; what that answers is the application's business. */
const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port, path: "/", timeout: 2000, agent: false }, (response) => {
      response.destroy();
      resolve(response.statusCode !== 503 && response.statusCode !== 404);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
