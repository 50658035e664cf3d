/** What the query APIs answer, before it is bytes. */

import { ExecutionError } from "../promql/failure.ts";
import { NotProvidedError, QueryError } from "../telemetry.ts";

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** In pieces, so that a large one is never whole in memory. */
  readonly body: Iterable<string>;
}

export interface Request {
  readonly method: string;
  /** Without the query string, decoded. */
  readonly path: string;
  /** Of the query string and of a form sent as the body. */
  readonly parameters: URLSearchParams;
  /** What was sent, if it was no form. */
  readonly body: string;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/** Prometheus' names. */
export type ErrorType =
  | "bad_data"
  | "canceled"
  | "execution"
  | "internal"
  | "not_found"
  | "timeout"
  | "unauthorized"
  | "unavailable";

const statusOf: Readonly<Record<ErrorType, number>> = {
  bad_data: 400,
  canceled: 503,
  execution: 422,
  internal: 500,
  not_found: 404,
  timeout: 503,
  unauthorized: 401,
  unavailable: 503,
};

const json = "application/json";

export function* wrapped(data: Iterable<string>): Generator<string> {
  yield '{"status":"success","data":';
  yield* data;
  yield "}";
}

export const success = (data: unknown): Answer => streamed([JSON.stringify(data)]);
export const streamed = (data: Iterable<string>): Answer => ({ status: 200, contentType: json, body: wrapped(data) });
export const plainText = (text: string, status = 200): Answer => ({
  status,
  contentType: "text/plain; charset=utf-8",
  body: [text],
});

export const failure = (errorType: ErrorType, error: string, status = statusOf[errorType]): Answer => ({
  status,
  contentType: json,
  body: [JSON.stringify({ status: "error", errorType, error })],
});

/** A parameter that cannot be read. */
export class ParameterError extends Error {}

/** Errors that are the client's, or the query's; undefined: a fault of ours, of which clients hear nothing. */
export function failureOf(error: unknown): Answer | undefined {
  if (error instanceof ExecutionError) return failure(error.type, error.message);
  if (error instanceof QueryError || error instanceof ParameterError) return failure("bad_data", error.message);
  if (error instanceof NotProvidedError) return failure("unavailable", error.message, 501);
  return undefined;
}
