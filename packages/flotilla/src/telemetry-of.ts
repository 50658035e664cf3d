/** From a folder to what is known of the application that runs there: its traces, logs and metrics. */
import { httpTelemetry, type Telemetry } from "@flotilla/telemetry";
import { runningCluster } from "./cluster-folder.ts";

export function telemetryOf(dir: string): Telemetry {
  const { cluster } = runningCluster(dir);
  return httpTelemetry({ url: `http://127.0.0.1:${cluster.ports.query}`, token: cluster.tokens.admin });
}
