/**
 * What of a statement may be shown: its text without literal values, and a summary that is short and low in variety.
 *
 * Source: opentelemetry.io/docs/specs/semconv/db/database-spans, "Sanitization of db.query.text" and "Generating a summary of the
 * query".
 */

export interface Statement {
  /** Without comments and literals; parameters ($1) stay. */
  readonly text: string;
  /** "INSERT orders INSERT order_lines": operations and what they concern, in their order. At most 255 characters. */
  readonly summary: string;
  /** Of the first operation, upper case; undefined: it has none that we know. */
  readonly operation: string | undefined;
  /** The only table there is; undefined where there are several or none. */
  readonly collection: string | undefined;
}

/** What is longer is cut: a statement that long is made by a program, and its beginning says enough. Characters. */
const longest = 8192;

const token = new RegExp(
  [
    /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/, // comments
    /[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*(?:'|$)/, // strings
    /\$(?<tag>[A-Za-z_]\w*|)\$[\s\S]*?(?:\$\k<tag>\$|$)/, // strings between dollars
    /\$\d+/, // parameters
    /"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*/u, // names and words
    /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/, // numbers
    /\s+|[\s\S]/, // the rest
  ]
    .map(({ source }) => source)
    .join("|"),
  "gu",
);

export function describeStatement(sql: string): Statement {
  const tokens: string[] = [];
  let text = "";
  for (const [found] of sql.slice(0, longest).matchAll(token)) {
    if (/^(--|\/\*|\s)/.test(found)) {
      if (text && !text.endsWith(" ")) text += " ";
      continue;
    }
    const literal = /^([eEbBxXnN]?'|[uU]&'|\.?\d|\$(?!\d)[\w]*\$)/.test(found);
    text += literal ? "?" : found;
    tokens.push(literal ? "?" : found);
  }
  return { text: text.trimEnd(), ...summarize(tokens) };
}

const operations = new Set(
  "SELECT INSERT UPDATE DELETE MERGE CREATE ALTER DROP TRUNCATE COPY CALL BEGIN COMMIT ROLLBACK LISTEN NOTIFY".split(
    " ",
  ),
);
/** These are operations only where a statement begins: elsewhere they are parts of others. */
const initial = new Set(
  "SET SHOW EXPLAIN ANALYZE VACUUM SAVEPOINT RELEASE LOCK DECLARE FETCH CLOSE START GRANT REVOKE REFRESH".split(" "),
);
/** Before a word that is no operation then: FOR UPDATE, FOR NO KEY UPDATE, ON DELETE CASCADE, DO UPDATE SET. */
const subordinate = new Set(["FOR", "KEY", "ON", "DO", "OR", "BEFORE", "AFTER"]);
const beforeTarget = new Set([
  "FROM",
  "JOIN",
  "INTO",
  "UPDATE",
  "TABLE",
  "TRUNCATE",
  "COPY",
  "CALL",
  "LISTEN",
  "NOTIFY",
]);
/** Between one of those and the name that it announces. */
const passed = new Set(["ONLY", "LATERAL", "IF", "NOT", "EXISTS", "TABLE"]);

function summarize(tokens: readonly string[]): Omit<Statement, "text"> {
  const words: string[] = [];
  const targets = new Set<string>();
  let operation: string | undefined;
  // Of each open parenthesis, whether a statement is in it: "extract(year from day)" has a FROM of another kind.
  const levels = [false];
  let beginning = true;
  for (let at = 0; at < tokens.length; at += 1) {
    const word = (tokens[at] as string).toUpperCase();
    const before = tokens[at - 1]?.toUpperCase() ?? "";
    if (word === "(") levels.push(false);
    else if (word === ")") levels.length > 1 && levels.pop();
    else if (word === ";") [beginning, levels.length] = [true, 1];
    const isOperation = (operations.has(word) && !subordinate.has(before)) || (beginning && initial.has(word));
    if (isOperation && before !== ".") {
      levels[levels.length - 1] = true;
      operation ??= word;
      words.push(word);
    }
    if (word !== ";" && word !== "(") beginning = false;
    const announces = beforeTarget.has(word) && levels.at(-1) && before !== "DISTINCT" && !subordinate.has(before);
    if (!announces) continue;
    const { name, next } = targetAt(tokens, at + 1);
    if (!name) continue;
    words.push(name);
    targets.add(name);
    at = next - 1;
  }
  const [only] = targets;
  return { summary: cut(words), operation, collection: targets.size === 1 ? only : undefined };
}

/** The name of a table, with its schema; "" for a subquery, a function, a parameter or a stream. */
function targetAt(tokens: readonly string[], from: number): { name: string; next: number } {
  let at = from;
  while (passed.has(tokens[at]?.toUpperCase() ?? "")) at += 1;
  const first = tokens[at] ?? "";
  if (!/^["\p{L}_]/u.test(first) || operations.has(first.toUpperCase())) return { name: "", next: from };
  let name = bare(first);
  for (at += 1; tokens[at] === "." && tokens[at + 1]; at += 2) name += `.${bare(tokens[at + 1] as string)}`;
  const isFunction = tokens[at] === "(" && ["FROM", "JOIN"].includes(tokens[from - 1]?.toUpperCase() ?? "");
  const isStream = /^std(in|out)$/i.test(name);
  return { name: isFunction || isStream ? "" : name, next: at };
}

const bare = (name: string) => (name.startsWith('"') ? name.slice(1, -1) : name);

/** Whole words only. */
function cut(words: readonly string[]): string {
  let summary = "";
  for (const word of words) {
    if (summary.length + word.length + 1 > 255) break;
    summary += summary ? ` ${word}` : word;
  }
  return summary;
}
