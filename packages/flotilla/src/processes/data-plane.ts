/** The data plane's process: Service addresses and the gateway. User traffic and the control plane cannot slow each other down. */
import { startDataPlane } from "@flotilla/network";
import { apiAs, clock, host, logTo, otlpEndpoint, random } from "../compose.ts";
import { runUntilTold, type Start } from "./run.ts";

const dataPlane: Start = ({ folder, cluster }) =>
  startDataPlane({
    api: apiAs(folder, cluster, cluster.tokens.dataPlane, "flotilla-data-plane"),
    clock,
    random,
    gateway: { addresses: [host, "::1"], port: cluster.ports.gateway },
    stateFile: folder.routes,
    otlp: { endpoint: otlpEndpoint(cluster) },
    report: logTo(process.stderr),
  });

await runUntilTold("data plane", dataPlane);
