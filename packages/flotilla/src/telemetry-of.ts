/** From a folder to what is known of the application that runs there: its traces, logs and metrics. */
import { join } from "node:path";
import { ExecutionError, httpTelemetry, ProviderError, type Telemetry, telemetryPrefix } from "@flotilla/telemetry/ask";
import type { Cluster } from "./cluster.ts";
import { runningCluster } from "./cluster-folder.ts";
import { CommandError } from "./errors.ts";
import type { StateFolder } from "./state-folder.ts";
import type { TelemetryStatus } from "./telemetry-status.ts";

const logOf = ({ node }: StateFolder) => join(node, "logs", "kube-system_telemetry_*");

const urlOf = ({ ports }: Cluster) => `http://127.0.0.1:${ports.query}`;

export function telemetryOf(dir: string): Telemetry {
  const { cluster, folder } = runningCluster(dir);
  if (!cluster.ports.query)
    throw new CommandError(
      "It was started by a version without telemetry; start it again: flotilla down, then flotilla up",
    );
  const telemetry = httpTelemetry({ url: urlOf(cluster), token: cluster.tokens.admin });
  const told = async (error: unknown): Promise<never> => {
    if (error instanceof ProviderError && error.cause !== undefined)
      throw new CommandError(
        `Telemetry does not answer; it is started again when it has died. Its log: ${logOf(folder)}`,
      );
    if (error instanceof ProviderError || error instanceof ExecutionError) throw new CommandError(error.message);
    throw error;
  };
  return {
    instant: (...asked) => telemetry.instant(...asked).catch(told),
    range: (...asked) => telemetry.range(...asked).catch(told),
    series: (...asked) => telemetry.series(...asked).catch(told),
    traces: (...asked) => telemetry.traces(...asked).catch(told),
    trace: (...asked) => telemetry.trace(...asked).catch(told),
    logs: (...asked) => telemetry.logs(...asked).catch(told),
  };
}

/** Undefined: telemetry does not answer. */
export async function statusOfTelemetry(cluster: Cluster): Promise<TelemetryStatus | undefined> {
  try {
    const answer = await fetch(`${urlOf(cluster)}${telemetryPrefix}status`, {
      headers: { Authorization: `Bearer ${cluster.tokens.admin}` },
      signal: AbortSignal.timeout(2000),
    });
    return answer.ok ? ((await answer.json()) as { data: TelemetryStatus }).data : undefined;
  } catch {
    return undefined;
  }
}
