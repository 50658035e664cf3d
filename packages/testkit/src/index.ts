export { deployment } from "./builders.ts";
export { badWeather, type Faults, FaultyApi, noFaults } from "./faults.ts";
export { type ProcessOptions, SimulatedProcess } from "./process.ts";
export {
  type Invariant,
  SimulatedCluster,
  type SimulatedClusterOptions,
  simulatedCluster,
} from "./simulated-cluster.ts";
export { SimulatedNode } from "./simulated-node.ts";
