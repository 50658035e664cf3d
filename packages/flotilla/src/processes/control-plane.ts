// The control plane's process: API server, store, controllers. The agent starts it as a static pod and restarts it when it dies.
import { controlPlane } from "../compose.ts";
import { runUntilTold } from "./run.ts";

await runUntilTold("control plane", controlPlane);
