/** What one line of a program's output says: JSON, logfmt or plain text, with severity, time and trace where it has them. */
import type { KeyValue, LogRecord } from "../otlp/types.ts";
import { parseJsonLine } from "./json-line.ts";
import { parseLogfmt } from "./logfmt.ts";
import { parsePlain } from "./plain-line.ts";

/** What a line is found to say; the body is there always. */
export type ParsedLine = Pick<
  LogRecord,
  "body" | "severityNumber" | "severityText" | "traceId" | "spanId" | "flags" | "timeUnixNano"
> & {
  readonly attributes: readonly KeyValue[];
  /** JSON and logfmt: a whole record by itself, to which no following line belongs. */
  readonly structured: boolean;
};

/** `writtenAt`: when the line was written (ms since the epoch); times far from it are taken for something else. */
export function parseLine(text: string, writtenAt: number): ParsedLine {
  return parseJsonLine(text, writtenAt) ?? parseLogfmt(text, writtenAt) ?? parsePlain(text);
}
