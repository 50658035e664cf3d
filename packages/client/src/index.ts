export type { Effects } from "./act.ts";
export type {
  Api,
  ListOptions,
  NamespacedName,
  ObjectList,
  PatchType,
  Preconditions,
  Selection,
  WatchEvent,
  WatchOptions,
  Write,
} from "./api.ts";
export type {
  Cache,
  Context,
  Controller,
  Decision,
  Effect,
  EventNote,
  FailedEffect,
  Failure,
  Index,
  Key,
  Query,
  Source,
  Together,
  Watch,
} from "./controller.ts";
export { discoverResources } from "./discovery.ts";
export { type HttpApi, httpApi } from "./http-api.ts";
export type { ApiResponse, ConnectionOptions, Request, RequestInit } from "./http-connection.ts";
export { jsonLines } from "./json-lines.ts";
export { httpApiFromKubeconfig, type KubeconfigContext, readKubeconfig } from "./kubeconfig.ts";
export { type LeaderElection, leaderElect } from "./leader-election.ts";
export { listAll } from "./list-all.ts";
export type { Log, LogEntry } from "./log.ts";
export { byAnyOwner, byOwner, ownedBy, ownedOrMatchedBy, selects } from "./ownership.ts";
export { type RunnerOptions, type Running, runControllers } from "./runner.ts";
export { ApiUnreachableError } from "./unreachable.ts";
export { compareVersions } from "./versions.ts";
export {
  keyOf,
  watch,
  watchAll,
  watchMapped,
  watchMatching,
  watchOwned,
  watchSelected,
} from "./watches.ts";
export {
  applyObject,
  bind,
  create,
  event,
  type MetaChange,
  patchMeta,
  type RemoveOptions,
  remove,
  resourceOfObject,
  status,
  together,
  update,
} from "./writes.ts";
