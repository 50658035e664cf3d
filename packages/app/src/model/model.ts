/**
 * The model: how a team writes its application. `flotilla.ts` exports an `App`, `flotilla.yaml` spells the same fields, and
 * the spec of the kind App is one. `fields.ts` describes the same fields to check, schema and docs; the compiler holds the
 * two together.
 */
import type { EnvironmentTelemetry } from "./objectives.ts";
import type { Backing, External, Job, Secret } from "./parts.ts";
import type { Route } from "./route.ts";
import type { Service } from "./service.ts";

/** The names that one application gives; references can only be to these. */
export interface Names {
  service: string;
  backing: string;
  external: string;
  job: string;
  /** Secret names to the union of their keys. */
  secrets: Record<string, string>;
}

/** Any names at all: the type of an application that was read from a file. */
export type AnyNames = Names;

/** A change of some fields: objects merge, arrays replace, null deletes, `enabled: false` removes. */
export type Overlay<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: Overlay<T[K]> | null }
    : T;

export interface App<N extends Names = AnyNames> {
  /** DNS label; names the app and, by default, its namespaces. */
  name: string;
  /** Who owns it; becomes the label flotilla.dev/team. */
  team?: string;
  /** Added to every object. */
  labels?: Record<string, string>;
  /** Added to every object. */
  annotations?: Record<string, string>;
  /** What every service starts from; a service's own fields win. */
  defaults?: Partial<Service<N>>;
  services: { [K in N["service"]]: Service<N> };
  /** Databases and the like. */
  backing?: { [K in N["backing"]]: Backing };
  /** What lies outside of the cluster. */
  external?: { [K in N["external"]]: External };
  jobs?: { [K in N["job"]]: Job<N> };
  /** Requests from outside to services. A service's own `routes` are the short form. */
  routes?: readonly Route<N>[];
  secrets?: { [K in keyof N["secrets"]]: Secret<N["secrets"][K]> };
  environments?: Record<string, Environment<N>>;
  /** Services that other apps may call. Not built yet. */
  exports?: readonly N["service"][];
  /** Apps that this one calls. Not built yet. */
  imports?: Record<string, unknown>;
  /** Paths of plain manifests to add, files or folders. */
  objects?: readonly string[];
  patches?: readonly ObjectPatch[];
}

/**
 * A strategic merge patch for produced objects: those of `kind`, with that name where metadata.name is given. Within a
 * service only that service's objects are meant.
 */
export interface ObjectPatch {
  apiVersion?: string;
  kind: string;
  metadata?: Record<string, unknown>;
  [field: string]: unknown;
}

export interface Environment<N extends Names = AnyNames> {
  /** Context of the kubeconfig. Not built yet. */
  cluster?: string;
  /** Default: the app's name, "-", the environment's name; on `local` the app's name. */
  namespace?: string;
  /** Where built images are found: "registry.example/team". Default: "localhost". */
  registry?: string;
  /** The host of routes that name none. Default: all hosts. */
  domain?: string;
  /** Not built yet. */
  gatewayClass?: string;
  /** Not built yet. */
  secretStore?: unknown;
  telemetry?: EnvironmentTelemetry<N>;
  /** Not built yet. */
  after?: string | readonly string[];
  /** Not built yet. */
  gates?: unknown;
  /** Not built yet. */
  sync?: "push" | "gitops";
  /** Not built yet. */
  drift?: "revert" | "report";
  labels?: Overlay<Record<string, string>>;
  annotations?: Overlay<Record<string, string>>;
  defaults?: Overlay<Partial<Service<N>>>;
  services?: { [K in N["service"]]?: Overlay<Service<N>> | null };
  backing?: { [K in N["backing"]]?: Overlay<Backing> | null };
  external?: { [K in N["external"]]?: Overlay<External> | null };
  jobs?: { [K in N["job"]]?: Overlay<Job<N>> | null };
  routes?: readonly Route<N>[];
  secrets?: { [K in keyof N["secrets"]]?: Overlay<Secret<N["secrets"][K]>> | null };
  objects?: readonly string[];
  patches?: readonly ObjectPatch[];
}
