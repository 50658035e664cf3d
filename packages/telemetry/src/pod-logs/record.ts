/** The log record that lines of a pod become. */
import { attributesOf } from "../attributes.ts";
import type { LogRecord } from "../otlp/types.ts";
import type { JoinedLines } from "./join-lines.ts";

/**
 * Attributes beside the line's own: `log.iostream`; for a line that was cut, `log.line.length`: bytes that it had.
 * `observedTimeUnixNano` is when the line was written, the record's time what the line says of itself, otherwise the same.
 */
export function recordOf<F>({ first, parsed, more }: JoinedLines<F>): LogRecord {
  const { body, attributes, severityNumber, severityText, traceId, spanId, flags, timeUnixNano } = parsed;
  const text = body?.stringValue;
  return {
    timeUnixNano: timeUnixNano ?? first.nanos,
    observedTimeUnixNano: first.nanos,
    ...(severityNumber !== undefined && { severityNumber }),
    ...(severityText !== undefined && { severityText }),
    body: more.length > 0 && text !== undefined ? { stringValue: [text, ...more].join("\n") } : body,
    attributes: [
      ...attributesOf({ "log.iostream": first.stream, "log.line.length": first.isCut ? first.length : undefined }),
      ...attributes,
    ],
    ...(flags !== undefined && { flags }),
    ...(traceId !== undefined && { traceId }),
    ...(spanId !== undefined && { spanId }),
  };
}

/** Tells readers of a pod's log that lines are missing here. `at`: ms since the epoch. */
export function droppedRecord(at: number, lines: number, bytes: number, why: string): LogRecord {
  const nanos = `${at}000000`;
  return {
    timeUnixNano: nanos,
    observedTimeUnixNano: nanos,
    severityNumber: 13,
    severityText: "WARN",
    body: { stringValue: `log.dropped: ${lines} lines (${bytes} bytes) of this container are not kept: ${why}` },
    attributes: attributesOf({ "log.dropped.lines": lines, "log.dropped.bytes": bytes }),
  };
}
