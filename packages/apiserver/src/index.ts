export type { Endpoint } from "./bootstrap.ts";
export { administrator, type ControlPlane, type ControlPlaneOptions, createControlPlane } from "./control-plane.ts";
export { type ApiServer, type ServeOptions, serveApi, servedVersion } from "./http/serve-api.ts";
export type { Attributes, VersionInfo } from "./http/serving.ts";
export type { KindRules } from "./kind-rules.ts";
export { localApi } from "./local-api.ts";
export type { IssuedToken, TokenIssuer } from "./registry/parts.ts";
export type {
  Change,
  ChangeStream,
  DeleteOptions,
  Registry,
  RequestContext,
  Target,
  UserInfo,
  WatchListener,
} from "./registry.ts";
export { type ServiceAccountTokens, serviceAccountTokens } from "./service-account-tokens.ts";
export { memoryPersistence } from "./store/memory-persistence.ts";
export type { Persistence, StoredChange, StoredState } from "./store/persistence.ts";
export { type SqliteOptions, StateFileError, sqlitePersistence } from "./store/sqlite-persistence.ts";
export { createServingCertificate, kubeconfig, type ServingCertificate } from "./tls.ts";
