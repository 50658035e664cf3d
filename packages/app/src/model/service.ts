/** A service: one program in any number of copies. */
import type { Container, PolicyRule, SecurityContext, Toleration } from "@flotilla/objects";
import type { Names, ObjectPatch } from "./model.ts";
import type { Objectives } from "./objectives.ts";
import type { Route } from "./route.ts";

export type Protocol = "http" | "grpc" | "ws" | "tcp" | "udp";

export interface Port {
  /** The port that callers use. */
  port: number;
  /** The port that the program listens on. Default: `port`. */
  targetPort?: number;
  /** Default: "http". Becomes appProtocol. */
  protocol?: Protocol;
}

/** The value of an environment variable. Text may hold `${payments.host}`, `${payments.port}` and `${payments.url}`. */
export type EnvValue<N extends Names> = string | SecretKey<N> | { fieldRef: string };

/** One key of one of the app's secrets. */
export type SecretKey<N extends Names> = {
  [K in keyof N["secrets"]]: { secret: K; key: N["secrets"][K] };
}[keyof N["secrets"]];

export type FileContent<N extends Names> = { file: string } | { text: string } | SecretKey<N>;

export interface Call<N extends Names> {
  service: N["service"] | N["external"];
  /** Not built yet. */
  timeout?: string;
  /** Not built yet. */
  retries?: number;
  /** The caller works without it. Default: false. */
  optional?: boolean;
}

export interface Use<N extends Names> {
  name: N["backing"];
  /** Not built yet. */
  access?: string;
}

/** How it is seen that a program works. A text is short for `{http: text}`. */
export interface Probe {
  /** The path to ask. */
  http?: string;
  /** The service to ask the gRPC health protocol for; "" asks for the whole server. */
  grpc?: string;
  /** Whether a connection can be made. */
  tcp?: boolean;
  /** A command in the container that must exit with 0. */
  exec?: readonly string[];
  /** Number or name. Default: the first port. */
  port?: number | string;
  /** Default: "5s". */
  period?: string;
  /** Default: "2s". */
  timeout?: string;
  /** Failures in a row that count. Default: 3. */
  failures?: number;
}

export interface Scale {
  /** Default: 1. */
  min?: number;
  max: number;
  /** Average use of the requested CPU to keep: "70%". */
  cpu?: string;
  /** Average use of the requested memory to keep: "80%". */
  memory?: string;
  /** Not built yet. */
  rps?: number;
  /** Not built yet. */
  lag?: unknown;
  /** Not built yet. */
  query?: unknown;
  /** Not built yet. */
  schedule?: unknown;
  /** How long to look back before scaling down. Default: "5m". */
  stabilization?: string;
}

export interface Resources {
  /** Request. Default: "50m". There is no CPU limit unless `limits` states one. */
  cpu?: string;
  /** Request and limit. Default: "128Mi". */
  memory?: string;
  /** Whole GPUs (nvidia.com/gpu). */
  gpu?: number;
  /** As in Container; in place of the fields above. */
  requests?: Record<string, string>;
  limits?: Record<string, string>;
}

/** A claim that outlives pods, or with `ephemeral` a folder that does not. */
export interface Volume {
  /** Absolute path. */
  mount: string;
  /** "10Gi". */
  size?: string;
  /** Default: "ReadWriteOnce". */
  access?: "ReadWriteOnce" | "ReadWriteMany" | "ReadOnlyMany" | "ReadWriteOncePod";
  /** The StorageClass. Default: the cluster's. */
  class?: string;
  ephemeral?: boolean;
}

export interface Identity {
  /** An account that exists. Default: one of the service's own. */
  serviceAccount?: string;
  /** Of the account, as clouds want them for their own identities. */
  annotations?: Record<string, string>;
  /** What the program may do in its namespace; mounts the account's token. Default: nothing. */
  rules?: readonly PolicyRule[];
}

export interface Placement {
  nodeSelector?: Record<string, string>;
  tolerations?: readonly Toleration[];
  /** Spread over nodes and zones from two replicas. Default: true. */
  spread?: boolean;
  priorityClass?: string;
  runtimeClass?: string;
}

export interface Release {
  /** Default: "rolling". The others are not built yet. */
  strategy?: "rolling" | "canary" | "bluegreen" | "recreate";
  /** Not built yet. */
  steps?: readonly string[];
  /** When a rollout that makes no progress counts as failed. Default: "10m". */
  maxDuration?: string;
  /** Not built yet. */
  bake?: string;
  /** Not built yet. */
  approve?: boolean;
}

/** What services and jobs have in common. */
export interface Program<N extends Names = Names> {
  /** false removes it; meant for environments. */
  enabled?: boolean;
  /** The folder that it is built from, relative to the app's file. Exactly one of `source` and `image`. */
  source?: string;
  /** An image that exists. */
  image?: string;
  /** Not built yet: what is built is detected. */
  build?: unknown;
  /** Not built yet. */
  dev?: unknown;
  /** As in Container. Default: the image's own. */
  command?: readonly string[];
  args?: readonly string[];
  workingDir?: string;
  env?: Record<string, EnvValue<N>>;
  /** Files by absolute path in the container. */
  files?: Record<string, FileContent<N>>;
  /** What it sends requests to: gives `<NAME>_URL` and a way through the network policy. */
  calls?: readonly (N["service"] | N["external"] | Call<N>)[];
  /** The databases it uses: gives DATABASE_URL and PG* for postgres. */
  uses?: readonly (N["backing"] | Use<N>)[];
  resources?: Resources;
  volumes?: Record<string, Volume>;
  /** Containers that run to their end before it. */
  init?: readonly Container[];
  /** Containers beside it. */
  sidecars?: readonly Container[];
  /** Between the request to stop and the kill. Default: "30s". */
  terminationGracePeriod?: string;
  identity?: Identity;
  placement?: Placement;
  /** Merged over the restricted default of the container. */
  securityContext?: SecurityContext;
  patches?: readonly ObjectPatch[];
}

export interface Service<N extends Names = Names> extends Program<N> {
  /** Short for one http port named "http". Without any port it is a worker and gets no Service. */
  port?: number;
  ports?: Record<string, Port>;
  /** Requests from outside to this service alone. */
  routes?: readonly Omit<Route<N>, "backends">[];
  probes?: { startup?: string | Probe; readiness?: string | Probe; liveness?: string | Probe };
  /** Default: 1. */
  replicas?: number;
  scale?: Scale;
  /** Default: "Deployment". */
  kind?: "Deployment" | "StatefulSet" | "DaemonSet";
  disruption?: {
    /** A number or a share: 1, "25%". Default: 1, from two replicas. */
    maxUnavailable: number | string;
  };
  /** What is promised to its users. */
  objectives?: Objectives;
  release?: Release;
}
