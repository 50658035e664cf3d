export { type DataPlane, type DataPlaneOptions, startDataPlane } from "./data-plane.ts";
export type { AccessEntry } from "./exchange.ts";
export type { OtlpOptions } from "./telemetry/export.ts";
export type { Count } from "./telemetry/request-telemetry.ts";
