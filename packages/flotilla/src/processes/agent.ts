// The agent's process: the node agent, whose pods are its children, and the loop that builds what is edited.
import { agent } from "../compose.ts";
import { runUntilTold } from "./run.ts";

await runUntilTold("agent", agent);
