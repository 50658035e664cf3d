/** What ends a query without an answer. */
import { QueryError } from "../telemetry.ts";

export interface Place {
  /** Offsets into the query's text. */
  readonly start: number;
  readonly end: number;
}

/** A mistake in a query's text: `line:column: parse error: ...`, in the words of Prometheus' parser. */
export function parseError(query: string, place: Place, message: string): QueryError {
  const before = query.slice(0, place.start);
  const line = before.split("\n").length;
  const column = place.start - before.lastIndexOf("\n");
  return new QueryError(`${line}:${column}: parse error: ${message}`, place.start, place.end);
}

/** A query that is well written but could not be carried out; `type` is Prometheus' errorType. */
export class ExecutionError extends QueryError {
  readonly type: "execution" | "timeout" | "canceled";

  constructor(message: string, type: "execution" | "timeout" | "canceled" = "execution") {
    super(message);
    this.type = type;
  }
}
