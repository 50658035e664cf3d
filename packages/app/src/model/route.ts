/** A route: which requests from outside go to which services. */
import type { Names } from "./model.ts";

export interface RouteBackend<N extends Names = Names> {
  service?: N["service"];
  /** Not built yet. */
  external?: N["external"];
  /** The name of the service's port. Default: its first. */
  port?: string;
  /** Share among all weights. Default: 1. */
  weight?: number;
}

export interface Route<N extends Names = Names> {
  /** Default: all, or the environment's domain. */
  hosts?: readonly string[];
  /** Default: "/". */
  path?: string;
  /** Default: "PathPrefix". */
  pathType?: "PathPrefix" | "Exact" | "RegularExpression";
  /** Headers that the request must carry, with exactly these values. */
  headers?: Record<string, string>;
  /** "GET", "POST", ... Default: all. */
  methods?: readonly string[];
  backends?: readonly RouteBackend<N>[];
  /** A service that gets a copy of each request; its answers are dropped. */
  mirror?: N["service"];
  /** What takes the place of the matched prefix (or, for other path types, of the whole path), and of the host. */
  rewrite?: string | { path?: string; host?: string };
  /** Answers with a redirect in place of a backend. */
  redirect?: { scheme?: "http" | "https"; host?: string; path?: string; port?: number; status?: 301 | 302 };
  /** For the whole request. Default: "15s"; "0s" is none. */
  timeout?: string;
  /** Not built yet. */
  sticky?: unknown;
  /** Not built yet. */
  auth?: unknown;
  /** Not built yet. */
  rateLimit?: unknown;
  /** Not built yet. */
  cors?: unknown;
  /** Not built yet. */
  transform?: unknown;
  /** Not built yet. */
  tls?: unknown;
}
