/** Lines of plain text: the body is the line as it was written; severity and trace are what it shows. */
import type { ParsedLine } from "./line-format.ts";
import { severityOfLetter, severityOfWord } from "./severity.ts";

/** Where in a line its severity is to be found; words further on are what it speaks of. Characters. */
const head = 120;

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences of terminals begin with one
const colours = /\u001b\[[0-9;]*m/g;

const klog = /^([IWEF])\d{4} \d\d:\d\d:\d\d/;
/** "ERROR:", "[warn]", "level=error", "WARNING:root:", "2026-11-21 12:00:00,123 [main] INFO ": a word of its own. */
const shouted =
  /(?:^|[\s[(<|:"])(TRACE|DEBUG|FINE|FINER|FINEST|CONFIG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|CRITICAL|CRIT|ALERT|FATAL|PANIC|EMERG|LOG)(?=$|[\s\])>|:",])/;
const bracketed = /\[\s*(trace|debug|info|notice|warn|warning|error|crit|critical|alert|emerg|fatal)\s*\]/i;
const assigned = /\b(?:level|lvl|severity|loglevel)\s?[=:]\s?"?([A-Za-z]+)/i;
/** At the very beginning, as npm, .NET ("fail: ", "warn: ") and many scripts have it. */
const leading =
  /^(?:npm )?(trce|dbug|debug|info|notice|warn|warning|fail|error|err|crit|critical|fatal|panic)(?:!|:| -)/i;
/** What runtimes print of an error that nobody caught. */
const uncaught =
  /^(?:Uncaught |Unhandled |Exception in thread |Traceback \(most recent call last\)|(?:[\w$]+[.:])*[A-Z]\w*(?:Error|Exception)\b(?:: | \[|$)|Error: |thread '.*' .*panicked at )/;

const traceparent = /\b00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})\b/;
const traceId = /\b(?:dd\.)?trace[._-]?id["']?\s?[=:]\s?["']?([0-9a-f]{32})\b/i;
const spanId = /\b(?:dd\.)?span[._-]?id["']?\s?[=:]\s?["']?([0-9a-f]{16})\b/i;
/** Spring Cloud Sleuth: "[service,trace,span]". */
const sleuth = /\[[\w.-]*,([0-9a-f]{32}),([0-9a-f]{16})[\],]/;

export function parsePlain(text: string): ParsedLine {
  const shown = text.includes("\u001b[") ? text.replace(colours, "") : text;
  return { body: { stringValue: text }, attributes: [], structured: false, ...severityIn(shown), ...traceIn(shown) };
}

function severityIn(text: string): Pick<ParsedLine, "severityNumber" | "severityText"> {
  const line = text.slice(0, head);
  const letter = klog.exec(line)?.[1];
  if (letter) return { severityNumber: severityOfLetter(letter), severityText: letter };
  const word = firstOf(line, shouted, bracketed, assigned, leading);
  const severityNumber = word && severityOfWord(word);
  if (severityNumber) return { severityNumber, severityText: word };
  return uncaught.test(line) ? { severityNumber: 17 } : {};
}

/** The one that stands first in the line. */
function firstOf(line: string, ...expressions: readonly RegExp[]): string | undefined {
  let first: { index: number; word: string } | undefined;
  for (const expression of expressions) {
    const found = expression.exec(line);
    const word = found?.[1];
    if (found && word && severityOfWord(word) && (!first || found.index < first.index))
      first = { index: found.index, word };
  }
  return first?.word;
}

function traceIn(text: string): Pick<ParsedLine, "traceId" | "spanId" | "flags"> {
  const parent = traceparent.exec(text);
  if (parent && nonZero(parent[1]))
    return { traceId: parent[1], spanId: parent[2], flags: Number.parseInt(parent[3] as string, 16) };
  // Most lines name no trace: one look instead of several.
  if (!/trace|span|,[0-9a-f]{32},/i.test(text)) return {};
  const both = sleuth.exec(text);
  const trace = (both ?? traceId.exec(text))?.[1]?.toLowerCase();
  const span = (both?.[2] ?? spanId.exec(text)?.[1])?.toLowerCase();
  return {
    ...(nonZero(trace) && { traceId: trace }),
    ...(nonZero(span) && { spanId: span }),
  };
}

const nonZero = (id: string | undefined): boolean => id !== undefined && !/^0+$/.test(id);
