export { type Addresses, addresses } from "./addresses.ts";
export { type Agent, type AgentOptions, type StopOptions, startAgent } from "./agent.ts";
export type { Action, Checks, CheckTarget } from "./checks.ts";
export { ImageNotFound, type Images, type ResolvedImage } from "./images.ts";
export type { LocalContainer, LocalPod } from "./local-pod.ts";
export { type LogOptions, readLog } from "./log-reader.ts";
export { noPodFiles, type PodFiles } from "./pod-files.ts";
export { type ProcessRuntime, type ProcessRuntimeOptions, processRuntime } from "./process-runtime.ts";
export {
  type ContainerSpec,
  type ContainerUser,
  type ExecOptions,
  type ExecSession,
  type Exit,
  type Mount,
  type RunningContainer,
  type Runtime,
  type RuntimeEvent,
  StartError,
} from "./runtime.ts";
export {
  type Behaviour,
  type SimulatedRuntime,
  type SimulatedRuntimeOptions,
  simulatedRuntime,
} from "./simulated-runtime.ts";
export type { StaticPod, StaticPodState } from "./static-pods.ts";
export type { Volumes } from "./volumes.ts";
