/** The OpenTelemetry Collector that takes spans in and throws them away: the least that anything has to do. */
import { createConnection } from "node:net";
import { type Child, start } from "../child.ts";
import { until } from "../measure.ts";

/** A program made by its own builder from `collector-builder.yaml`. */
export const collectorBinary = process.env.OTELCOL;
export const collectorPort = 27_431;

const config = {
  receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${collectorPort}` } } } },
  processors: { batch: {} },
  exporters: { nop: {} },
  service: {
    pipelines: { traces: { receivers: ["otlp"], processors: ["batch"], exporters: ["nop"] } },
    telemetry: { metrics: { level: "none" }, logs: { level: "error" } },
  },
};

/** Starts it on one core. */
export async function startCollector(core: number): Promise<Child> {
  const child = start([
    "taskset",
    "-c",
    String(core),
    collectorBinary ?? "",
    `--config=yaml:${JSON.stringify(config)}`,
  ]);
  await until("the Collector answers", () => answers(collectorPort));
  return child;
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = createConnection(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
