/** The data plane: follows the objects of an API and serves them; keeps serving when the API is away. */
import type { Clock, Random } from "@flotilla/ambient";
import { type Api, type Log, runControllers } from "@flotilla/client";
import type { AccessEntry } from "./exchange.ts";
import { listenerSource } from "./listener-source.ts";
import { TrafficProxy } from "./proxy.ts";
import { routeController, routesKey } from "./route-controller.ts";
import { statusController } from "./status-controller.ts";
import type { Table } from "./table.ts";
import { readTable, writeTable } from "./table-file.ts";
import { type OtlpOptions, startExport } from "./telemetry/export.ts";
import type { Count } from "./telemetry/request-telemetry.ts";

export interface DataPlaneOptions {
  readonly api: Api;
  readonly clock: Clock;
  readonly random: Random;
  readonly gateway: {
    readonly addresses: readonly string[];
    /** Where port 80 of a Gateway is on this machine; undefined: at 80. */
    readonly port?: number;
  };
  /** Where the last table is kept between runs; undefined: nowhere. */
  readonly stateFile?: string;
  readonly report?: Log;
  /** A line for each request; undefined: none is made. */
  readonly onAccess?: (entry: AccessEntry) => void;
  /** Where spans and metrics go; undefined: nowhere, and no trace is begun. It may be away. */
  readonly otlp?: OtlpOptions;
}

export interface DataPlane {
  /** Resolves when what the API says is served: each address is listened on, or has failed and is reported. */
  readonly ready: Promise<void>;
  /** What was answered since the start. */
  stats(): Count[];
  /** Takes no more connections, lets what is under way end for up to 3 s. */
  stop(): Promise<void>;
}

/** Resolves at once, serving the kept table where there is one. Rejects when the state file cannot be read. */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const { api, clock, random, gateway, stateFile, report: log = () => undefined, onAccess, otlp } = options;
  const source = listenerSource(routesKey);
  const { telemetry, stop: stopTelemetry } = startExport({ clock, random, ...(otlp && { otlp }) });
  const proxy = new TrafficProxy({
    clock,
    random,
    telemetry,
    gatewayAddresses: gateway.addresses,
    onProblems(problems) {
      for (const message of Object.values(problems)) log({ level: "warn", message });
      source.report(problems);
    },
    ...(onAccess && { onAccess }),
  });
  const kept = stateFile === undefined ? undefined : await readTable(stateFile);
  if (kept) await proxy.apply(kept);

  const keep = tableKeeper(stateFile, kept, log);
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const controllers = runControllers({
    api,
    clock,
    random,
    log,
    recorder: "data-plane",
    controllers: [routeController(gateway.port, source), statusController(gateway, source)],
    effects: {
      async "data-plane"(table) {
        await proxy.apply(table as Table);
        resolve();
        await keep(table as Table);
      },
    },
  });
  return {
    ready,
    stats: () => proxy.stats(),
    async stop() {
      await controllers.stop();
      await proxy.stop();
      await stopTelemetry();
    },
  };
}

/** Writes what changed. A full disk costs the quick start, not the traffic, so it is told and the table is served all the same. */
function tableKeeper(file: string | undefined, kept: Table | undefined, log: Log): (table: Table) => Promise<void> {
  let last = JSON.stringify(kept);
  return async (table) => {
    const text = JSON.stringify(table);
    if (file === undefined || text === last) return;
    try {
      await writeTable(file, table);
      last = text;
    } catch (error) {
      log({ level: "warn", message: `the table cannot be kept in ${file}`, error });
    }
  };
}
