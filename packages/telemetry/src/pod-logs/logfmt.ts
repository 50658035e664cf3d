/** Lines of key=value pairs, as Go's logfmt libraries, logrus and slog's text handler write them. */
import { Fields, meaningOf } from "./fields.ts";
import type { ParsedLine } from "./line-format.ts";

const pair = /([A-Za-z_@][\w.@/-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s"=]*))(?:\s+|$)/y;

/** Undefined: not all of it is pairs, or none of them says what kind of line it is (a message, a severity). */
export function parseLogfmt(text: string, writtenAt: number): ParsedLine | undefined {
  const found: [name: string, value: string][] = [];
  pair.lastIndex = 0;
  const line = text.trim();
  while (pair.lastIndex < line.length) {
    const match = pair.exec(line);
    if (!match) return undefined;
    const [, name = "", quoted, bare = ""] = match;
    found.push([name, quoted === undefined ? bare : unquoted(quoted)]);
  }
  const tells = found.some(([name]) => {
    const meaning = meaningOf(name);
    return meaning === "message" || meaning === "severity";
  });
  if (found.length < 2 || !tells) return undefined;
  const fields = new Fields(writtenAt);
  for (const [name, value] of found) fields.add(name, value, { stringValue: value });
  return fields.result(text);
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

const unquoted = (text: string): string =>
  text.includes("\\") ? text.replace(/\\(u[0-9a-fA-F]{4}|.)/gs, (_, what: string) => unescaped(what)) : text;

const unescaped = (what: string): string =>
  what.length > 1 ? String.fromCharCode(Number.parseInt(what.slice(1), 16)) : (escapes[what] ?? what);
