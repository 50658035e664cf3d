/**
 * Lines that belong to the one before them become one record with it: stack traces, tracebacks, panics, values printed over
 * several lines.
 */
import type { OutputLine, Place } from "./cri-lines.ts";
import { type ParsedLine, parseLine } from "./line-format.ts";

/** What one record is made of: the first line, as it was understood, and the text of all. */
export interface JoinedLines<F> {
  readonly first: OutputLine<F>;
  readonly parsed: ParsedLine;
  /** Of the lines after the first. */
  readonly more: readonly string[];
}

/** Lines that are further apart are not one. Milliseconds. */
const farthestApart = 1000;
/** Of one record. What follows is a record again. */
const mostBytes = 64 * 1024;
const mostLines = 1000;

const indented = /^\s+\S/;
const continued = /^(?:at |Caused by: |Suppressed: |\.\.\. \d+ (?:more|common frames))/;
const closing = /^[}\])]+[,;]?$/;
const traceback = /^(?:Traceback \(most recent call last\):|\s*(?:\+ )?Exception Group Traceback)/;
/** Between two tracebacks of one error. */
const chained = /^(?:During handling of the above exception|The above exception was the direct cause)/;
const goPanic = /^(?:panic: |fatal error: |SIG[A-Z]+: )/;
const goFrame = /^(?:goroutine \d+|created by |\[signal |exit status \d+|panic: |\S+\(.*\)$|\s)/;
const error = 17;

type Kind = "plain" | "python" | "go";

interface Pending<F> extends JoinedLines<F> {
  readonly more: string[];
  kind: Kind;
  bytes: number;
  /** Of the last line. */
  at: number;
  last: string;
}

/** One for each stream of each container. */
export class LineJoiner<F> {
  #pending: Pending<F> | undefined;

  /** What this line shows to be complete. */
  add(line: OutputLine<F>, take: (joined: JoinedLines<F>) => void): void {
    const pending = this.#pending;
    if (pending && belongs(pending, line)) {
      pending.more.push(line.text);
      pending.bytes += line.text.length;
      pending.at = line.writtenAt;
      pending.last = line.text;
      if (pending.kind === "plain" && traceback.test(line.text)) pending.kind = "python";
      return;
    }
    this.flush(take);
    const { text, writtenAt } = line;
    const parsed = parseLine(text, writtenAt);
    if (parsed.structured) {
      // Nothing can follow: no need to wait.
      take({ first: line, parsed, more: [] });
      return;
    }
    const kind = traceback.test(text) ? "python" : goPanic.test(text) ? "go" : "plain";
    this.#pending = { first: line, parsed, more: [], kind, bytes: text.length, at: writtenAt, last: text };
  }

  /** Where the record begins that is still waited for. */
  pending(): Place<F> | undefined {
    return this.#pending?.first.from;
  }

  flush(take: (joined: JoinedLines<F>) => void): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending) take(pending);
  }
}

function belongs<F>(pending: Pending<F>, { text, writtenAt, isCut }: OutputLine<F>): boolean {
  if (writtenAt - pending.at > farthestApart || writtenAt < pending.at || isCut) return false;
  if (pending.bytes + text.length > mostBytes || pending.more.length >= mostLines) return false;
  if (pending.kind === "go") return text === "" || goFrame.test(text);
  if (pending.kind === "python" && ofTraceback(pending.last, text)) return true;
  if (indented.test(text) || continued.test(text)) return true;
  if (closing.test(text)) return indented.test(pending.last);
  // A program that logs an error with its traceback; another's begins a record.
  return traceback.test(text) && (pending.parsed.severityNumber ?? 0) >= error;
}

/** The frames are indented; the error's own line, blank lines and what follows from it are not. */
function ofTraceback(last: string, text: string): boolean {
  if (text === "") return !indented.test(last);
  if (chained.test(text) || traceback.test(text)) return last === "";
  return indented.test(last) && /^[\w.]+(?::|$)/.test(text);
}
