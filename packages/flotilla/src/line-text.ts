/** How lines and marks are shown to people: without what is said elsewhere or twice. Pure. */
import type { Line } from "./found-logs.ts";
import type { painter, Style } from "./terminal.ts";

/** Where our own tracing tells of the trace that a line was printed for: at the end of its first line. */
const ids = / trace_id=([0-9a-f]{32})(?: span_id=([0-9a-f]{16}))?(?=\n|$)/;

/** The text without the ids at the end of its first line, if they are the ones that the record carries. */
export function withoutIds({ text, traceId, spanId }: Pick<Line, "text" | "traceId" | "spanId">): string {
  const [first = ""] = text.split("\n", 1);
  const found = ids.exec(first);
  if (!found) return text;
  const [all, trace, span] = found;
  if (trace !== traceId || (span !== undefined && span !== spanId)) return text;
  return text.slice(0, found.index) + text.slice(found.index + all.length);
}

/** A line as it was printed, and the ids at its end apart; "" if there are none. */
export function atIds(line: string): [text: string, ids: string] {
  const at = ids.exec(line)?.index ?? line.length;
  return [line.slice(0, at), line.slice(at)];
}

interface Look {
  readonly paint: ReturnType<typeof painter>;
  readonly colour: (service: string) => Style;
  /** All lines are of one trace, which need not be named. */
  readonly oneTrace: boolean;
}

/** A record as `flotilla logs` prints it: each of its lines with its pod; a mark with its time and what it is about. */
export function shownLines(line: Line, { paint, colour, oneTrace }: Look): string[] {
  const { service, pod, time, traceId, event, object } = line;
  if (event !== undefined) {
    const about = paint(colour(service), object ?? (pod || service));
    return [`${paint("dim", `${time.slice(0, 19)}Z`)} ${about} ${markText(line)}`];
  }
  const [first = "", ...rest] = withoutIds(line).split("\n");
  const [text, printed] = atIds(first);
  const named = oneTrace || traceId === undefined || first.includes(traceId) ? printed : ` trace_id=${traceId}`;
  const who = paint(colour(service), pod || service);
  return [named ? text + paint("dim", named) : text, ...rest].map((each) => `${who} ${each}`);
}

export const onOneLine = (text: string): string => text.replaceAll("\n", " ⏎ ");

/**
 * A mark on one line. `brief`: of a change its first field, which is the one of most substance, and how many more there are. Who
 * made an object is what it says itself; who changed it is told, unless it was `flotilla`.
 */
export function markText(
  { text, event, reason, by }: Pick<Line, "text" | "event" | "reason" | "by">,
  { brief = false } = {},
): string {
  if (event !== "flotilla.change") return onOneLine(reason ? `${reason}: ${text}` : text);
  const lines = text.split("\n").map((line) => shortChange(line.replace(/^spec\.template\.spec\./, ""), brief));
  if (lines[0] === "created") return `created${lines.length > 1 ? `, ${lines.slice(1).join(", ")}` : ""}`;
  const told = brief && lines.length > 1 ? `${lines[0]}, and ${lines.length - 1} more` : lines.join(", ");
  return by && !by.startsWith("flotilla") ? `${told} (by ${by})` : told;
}

/** "localhost/orders@sha256:4fa1 → …9bc0": what both begin with is said once if it is long; if `brief`, not at all. */
export function shortChange(text: string, brief = false): string {
  const [, field = "", before = "", after = ""] = /^(\S+: )(\S+) → (\S+)$/.exec(text) ?? [];
  let same = 0;
  while (same < after.length && before[same] === after[same]) same++;
  // Up to the last sign between words: no word is cut.
  same = after.slice(0, same).search(/[^A-Za-z0-9][A-Za-z0-9]*$/) + 1;
  return same < 8 ? text : `${field}${brief ? `…${before.slice(same)}` : before} → …${after.slice(same)}`;
}
