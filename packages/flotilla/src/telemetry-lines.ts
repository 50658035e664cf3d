/** Lines of `flotilla status` about telemetry: where it is sent and asked, what is kept and how long, what was not taken. */
import type { Cluster } from "./cluster.ts";
import type { SignalStatus, TelemetryStatus } from "./telemetry-status.ts";
import { columns, type Style } from "./terminal.ts";

type Paint = (style: Style, text: string) => string;

const units = { traces: "spans", logs: "log records", metrics: "samples" } as const;

export function telemetryLines(
  status: TelemetryStatus | undefined,
  ports: Pick<Cluster["ports"], "otlpHttp" | "otlpGrpc" | "query">,
  paint: Paint,
): string[] {
  if (!status) return [`telemetry  ${paint("yellow", "does not answer")}`];
  const { signals, losses, forwarding, faults = [] } = status;
  const rows = Object.entries(signals).map(([signal, kept]) => [
    `  ${signal}`,
    `${kept.records} ${units[signal as keyof typeof units]}`,
    `${mebibytes(kept.bytesOnDisk)} of ${mebibytes(kept.retention.size)}`,
    `up to ${days(kept.retention.age)}`,
    trouble(kept, paint),
  ]);
  return [
    `telemetry  http://localhost:${ports.query} (Prometheus API), OTLP at ports ${ports.otlpHttp} (HTTP) and ${ports.otlpGrpc} (gRPC)`,
    ...faults.map((fault) => paint("red", `  ${fault}`)),
    ...columns(rows),
    ...losses.map(({ signal, reason, count }) => paint("yellow", `  not taken: ${lost(signal, reason, count)}`)),
    ...(forwarding ? [`  forwarded to ${forwarding.endpoint}${forwardingTrouble(forwarding, paint)}`] : []),
  ];
}

/** What was refused before anybody looked into it is counted by requests. */
function lost(signal: keyof typeof units, reason: string, count: number): string {
  const ofRequest = /^request (.*)/.exec(reason)?.[1];
  return ofRequest === undefined
    ? `${count} ${units[signal]}: ${reason}`
    : `${count} ${count === 1 ? "request" : "requests"} of ${signal}: ${ofRequest}`;
}

function trouble({ fault, recovered }: SignalStatus, paint: Paint): string {
  if (fault !== undefined) return paint("red", fault);
  const { clean, torn, damaged = [] } = recovered;
  const found = [
    ...(clean ? [] : ["was killed: the last fifth of a second may be missing"]),
    ...(torn > 0 ? [`${bytes(torn)} at the end of its journal could not be read`] : []),
    ...(damaged.length > 0 ? [`${damaged.length} damaged ${damaged.length === 1 ? "file" : "files"} put aside`] : []),
  ];
  return paint("yellow", found.join("; "));
}

const bytes = (count: number) => (count < 2048 ? `${count} bytes` : `${Math.round(count / 1024)} KiB`);

function forwardingTrouble({ failing, dropped }: NonNullable<TelemetryStatus["forwarding"]>, paint: Paint): string {
  const lost = dropped > 0 ? `, ${dropped} not sent` : "";
  if (!failing) return lost;
  return paint("red", `: fails since ${new Date(failing.since).toISOString()}: ${failing.message}${lost}`);
}

const mebibytes = (bytes: number) =>
  `${bytes < 10 * 2 ** 20 ? (bytes / 2 ** 20).toFixed(1) : Math.round(bytes / 2 ** 20)} MiB`;

const days = (ms: number) =>
  ms >= 2 * 86_400_000 ? `${Math.round(ms / 86_400_000)} d` : `${Math.round(ms / 3_600_000)} h`;
