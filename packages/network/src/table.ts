/**
 * What the data plane needs to know, and nothing else: plain data, made by a pure decision, kept on disk, handed to the proxy.
 * Clusters are referred to by key, so that a change of endpoints changes one place.
 */
import type { HTTPRouteFilter, HTTPRouteMatch } from "@flotilla/objects";

export const tableFormat = 3;

export interface Table {
  /** Of this form; what was kept in another form is not read. */
  readonly format: typeof tableFormat;
  /** By `clusterKey`. */
  readonly clusters: Readonly<Record<string, TableCluster>>;
  readonly services: readonly ServiceListener[];
  readonly gateways: readonly GatewayListener[];
  /** By address: to tell who asks and who answered. */
  readonly pods: Readonly<Record<string, TablePod>>;
}

export interface TablePod {
  readonly namespace: string;
  readonly name: string;
  /** Its label app.kubernetes.io/name, else the name of what controls it. */
  readonly service: string;
  /** Its label app.kubernetes.io/version; "": none. */
  readonly version: string;
}

/** One port of one Service, and who answers there. */
export interface TableCluster {
  /** "namespace/name", for messages and counters. */
  readonly service: string;
  /** The Service's label app.kubernetes.io/part-of. */
  readonly app?: string;
  readonly port: number;
  readonly endpoints: readonly TableEndpoint[];
  /** Endpoints that are neither ready nor serving: told to whoever asks why nobody answers. */
  readonly unready: number;
  /** Milliseconds for which a client stays with its endpoint; undefined: no affinity. */
  readonly affinity?: number;
}

export interface TableEndpoint {
  readonly address: string;
  readonly port: number;
  /** "draining": terminating but serving; chosen only when none is ready. */
  readonly state: "ready" | "draining";
}

/** Where a Service is reached. */
export interface ServiceListener {
  readonly namespace: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: "http" | "tcp";
  readonly cluster: string;
}

/** One listener of a Gateway, with the routes that are attached to it. */
export interface GatewayListener {
  readonly namespace: string;
  readonly gateway: string;
  readonly name: string;
  /** The port that is bound, which may differ from the one that the Gateway states. */
  readonly port: number;
  readonly hostname?: string;
  readonly routes: readonly TableRoute[];
}

export interface TableRoute {
  /** "namespace/name". */
  readonly route: string;
  readonly created: string;
  /** Those that both the route and the listener accept; empty: every host. */
  readonly hostnames: readonly string[];
  readonly rules: readonly TableRule[];
}

export interface TableFilters {
  /** But RequestMirror. */
  readonly filters: readonly HTTPRouteFilter[];
  readonly mirrors: readonly TableMirror[];
}

/** A share of the requests, from 0 to 1, is sent to that cluster, too. */
export interface TableMirror {
  readonly cluster: string;
  readonly share: number;
}

export interface TableRule extends TableFilters {
  /** Never empty. */
  readonly matches: readonly HTTPRouteMatch[];
  readonly backends: readonly TableBackend[];
  /** Milliseconds. */
  readonly requestTimeout?: number;
  readonly backendTimeout?: number;
}

export interface TableBackend extends TableFilters {
  readonly weight: number;
  /** Undefined: invalid, so that its share of requests is answered with 500 and `problem`. */
  readonly cluster?: string;
  readonly problem?: string;
}

export const clusterKey = (namespace: string, service: string, port: number): string =>
  `${namespace}/${service}:${port}`;
