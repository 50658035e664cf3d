// The data plane's process: Service addresses and the gateway. User traffic and the control plane cannot slow each other down.
import { dataPlane } from "../compose.ts";
import { runUntilTold } from "./run.ts";

await runUntilTold("data plane", dataPlane);
