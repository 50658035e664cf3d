export { type DataPlane, type DataPlaneOptions, startDataPlane } from "./data-plane.ts";
export type { AccessEntry } from "./exchange.ts";
export type { Count } from "./stats.ts";
