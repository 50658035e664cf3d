/** What the parts of the HTTP face share: what it was started with, one request under way, and what may be asked of authorization. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock, Random } from "@flotilla/ambient";
import type { Registry, UserInfo } from "../registry.ts";

/** What a request wants to do. Source: apiserver pkg/authorization/authorizer. */
export interface Attributes {
  readonly verb: string;
  readonly group?: string;
  readonly version?: string;
  /** Plural; undefined for a path that is no resource. */
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly path?: string;
}

export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
}

export interface Serving {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  readonly version: VersionInfo;
  /** The bearer token that the node agents' kubelet API wants. */
  readonly kubeletToken: string;
  authenticate(token: string): UserInfo | undefined;
  authorize(user: UserInfo, attributes: Attributes): boolean;
  /** For whoever runs the server; never shown to clients. */
  log(message: string, error?: unknown): void;
  /** Called when the server closes; returns how to forget it. */
  onClose(run: () => void): () => void;
}

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** As sent: still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
  readonly warnings: Set<string>;
}
