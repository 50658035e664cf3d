/** Metrics of an environment that runs elsewhere: asked of the Prometheus that the model names. */
import { homedir } from "node:os";
import { join } from "node:path";
import { httpApiFromKubeconfig } from "@flotilla/client";
import { prometheusTelemetry, type Telemetry } from "@flotilla/telemetry/ask";
import { CommandError } from "./errors.ts";
import { checkedModel } from "./model.ts";
import { secretHeaders } from "./secret-headers.ts";

/** Headers that lie in a Secret of the environment are read by the user's own kubeconfig. */
export async function telemetryElsewhere(dir: string, environment: string): Promise<Telemetry> {
  const { model, namespace } = await checkedModel(dir, environment, false);
  const { url, headers } = model.environments?.[environment]?.telemetry?.prometheus ?? {};
  if (!url)
    throw new CommandError(
      `The model does not say where metrics of ${environment} are: environments.${environment}.telemetry.prometheus.url`,
    );
  if (!headers) return prometheusTelemetry({ url });
  const api = await httpApiFromKubeconfig(process.env.KUBECONFIG ?? join(homedir(), ".kube", "config"));
  return prometheusTelemetry({ url, headers: await secretHeaders(api, { namespace, ...headers }) });
}
