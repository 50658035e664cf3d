/** What an app has beside services: databases, jobs, secrets, and what lies outside. */
import type { Names } from "./model.ts";
import type { Program } from "./service.ts";

export interface Backing {
  enabled?: boolean;
  /** The others than postgres are not built yet. */
  type: "postgres" | "mysql" | "redis" | "kafka" | "nats" | "s3" | "custom";
  /** Major version. Default: "18". */
  version?: string;
  /**
   * Who runs it. Default: on `local` "process", elsewhere "statefulset". "cnpg" is CloudNativePG; "external" is one that runs
   * already, known by `secret`.
   */
  driver?: "process" | "container" | "statefulset" | "cnpg" | "external";
  /** Default: "1Gi". */
  storage?: string;
  /** The StorageClass. Default: the cluster's. */
  class?: string;
  /** Not built yet. */
  backup?: unknown;
  /** Folder of *.sql files: each is applied once, in order of its name, before the services that use the database. */
  migrations?: string;
  /** External only: an existing Secret with the keys host, port, user, password, database, url. */
  secret?: string;
}

export interface External {
  enabled?: boolean;
  host: string;
  /** Default: 443. */
  port?: number;
  /** Default: "https". */
  protocol?: "http" | "https" | "grpc" | "tcp";
}

export interface Job<N extends Names = Names> extends Program<N> {
  /** Default: "schedule" where `schedule` is given, else "manual". */
  run?: "schedule" | "beforeRelease" | "afterRelease" | "manual";
  /** Cron: "0 3 * * *". */
  schedule?: string;
  /** Default: "UTC". */
  timeZone?: string;
  /** Default: "Forbid". */
  concurrencyPolicy?: "Allow" | "Forbid" | "Replace";
  /** Default: 3. */
  backoffLimit?: number;
  /** How long it may take in all. Default: "1h". */
  deadline?: string;
}

export interface Secret<Key extends string = string> {
  enabled?: boolean;
  keys: readonly Key[];
  /** "generate": made once, with random values. "existing": somebody else makes it. Default: "existing". */
  from?: "generate" | "existing";
}
