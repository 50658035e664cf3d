/**
 * A place in a text of metrics, and the pieces that both formats are made of. The older one is generous with spaces, OpenMetrics
 * is not.
 */
import { ExpositionError, type Label } from "./exposition.ts";

export interface Cursor {
  readonly isAtEnd: boolean;
  /** Goes past `text` if it is next. */
  take(text: string): boolean;
  skipBlank(): void;
  /** Whether there were any. */
  skipSpaces(): boolean;
  keyword(words: readonly string[]): string | undefined;
  metricName(): string;
  optionalName(): string | undefined;
  /** After the brace; to the one that closes. */
  labels(): { labels: Label[]; name: string | undefined };
  number(): number;
  /** Milliseconds since the epoch. */
  optionalTime(): number | undefined;
  separator(): void;
  metadataText(): string;
  restOfLine(): string;
  endOfLine(): void;
  fail(message: string): never;
  /** Of the line that was just read. */
  failBefore(message: string): never;
}

const quote = 0x22;
const backslash = 0x5c;
const lineFeed = 0x0a;
const namePattern = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const labelPattern = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const spacesPattern = /[ \t]*/y;
const blankPattern = /[ \t\n]*/y;
const linePattern = /[^\n]*/y;
const wordPattern = /[^ \t\n]+/y;
const numberPattern =
  /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])$/;

export function openCursor(text: string, isOpenMetrics: boolean): Cursor {
  let at = 0;
  const lineAt = (place: number) => {
    let line = 1;
    for (let end = text.indexOf("\n"); end >= 0 && end < place; end = text.indexOf("\n", end + 1)) line++;
    return line;
  };
  const fail = (message: string): never => {
    throw new ExpositionError(message, lineAt(at));
  };
  const match = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) return undefined;
    at = pattern.lastIndex;
    return found;
  };
  const take = (piece: string): boolean => {
    if (!text.startsWith(piece, at)) return false;
    at += piece.length;
    return true;
  };
  const skipSpaces = (): boolean => (match(spacesPattern)?.[0] ?? "") !== "";
  const skipOptional = () => {
    if (!isOpenMetrics) skipSpaces();
  };
  const seen = () => JSON.stringify(text.slice(at, at + 20).split("\n")[0] ?? "");
  /** No expression: of a text of megabytes without an end it would run out of stack. */
  const quoted = (): string | undefined => {
    if (text[at] !== '"') return undefined;
    for (let end = at + 1; end < text.length; end++) {
      const character = text.charCodeAt(end);
      if (character === backslash) end++;
      else if (character === quote) {
        const found = text.slice(at + 1, end);
        at = end + 1;
        return unescaped(found);
      } else if (character === lineFeed && isOpenMetrics) return undefined;
    }
    return undefined;
  };
  const number = (): number => {
    const start = at;
    const word = match(wordPattern)?.[0] ?? "";
    const value = numberPattern.test(word) ? numberOf(word) : undefined;
    if (value !== undefined) return value;
    at = start;
    return fail(`expected a number, found ${JSON.stringify(word.slice(0, 40))}`);
  };

  function labels() {
    const found: Label[] = [];
    let name: string | undefined;
    const seenNames = new Set<string>();
    skipOptional();
    while (!take("}")) {
      const isQuoted = text[at] === '"';
      const key = isQuoted ? quoted() : match(labelPattern)?.[0];
      if (key === undefined) return fail(`expected a label's name, found ${seen()}`);
      skipOptional();
      if (take("=")) {
        skipOptional();
        const value = quoted();
        if (value === undefined) return fail(`expected the value of ${key} in quotes, found ${seen()}`);
        if (seenNames.has(key)) return fail(`the label ${key} is there twice`);
        seenNames.add(key);
        found.push([key, value]);
      } else if (isQuoted && name === undefined) name = key;
      else return fail(`expected = after ${key}, found ${seen()}`);
      skipOptional();
      if (!take(",") && text[at] !== "}") return fail(`expected , or } after ${key}, found ${seen()}`);
      skipOptional();
    }
    return { labels: found, name };
  }

  function optionalTime(): number | undefined {
    const start = at;
    if (isOpenMetrics) {
      if (text.startsWith(" # ", at) || !take(" ")) return undefined;
      const value = number();
      if (!Number.isFinite(value)) return fail("a time is a finite number of seconds");
      return Math.floor(value * 1000);
    }
    skipSpaces();
    if (at >= text.length || text[at] === "\n") {
      at = start;
      return undefined;
    }
    const word = match(wordPattern)?.[0] ?? "";
    if (/^-?\d+$/.test(word)) return Number(word);
    return fail(`expected a time in milliseconds, found ${JSON.stringify(word.slice(0, 40))}`);
  }

  return {
    get isAtEnd() {
      return at >= text.length;
    },
    take,
    skipBlank: () => void match(blankPattern),
    skipSpaces,
    keyword(words) {
      const found = words.find((word) => text.startsWith(word, at) && /[ \t]/.test(text[at + word.length] ?? ""));
      if (found) at += found.length + 1;
      if (found) skipOptional();
      return found;
    },
    metricName: () =>
      (text[at] === '"' ? quoted() : match(namePattern)?.[0]) ?? fail(`expected a name, found ${seen()}`),
    optionalName: () => match(namePattern)?.[0],
    labels,
    number,
    optionalTime,
    separator() {
      if (isOpenMetrics ? !take(" ") : false) fail(`expected one space before the value, found ${seen()}`);
      skipOptional();
    },
    metadataText() {
      if (isOpenMetrics && !take(" ")) fail(`expected one space and a text, found ${seen()}`);
      skipOptional();
      const line = match(linePattern)?.[0] ?? "";
      if (!take("\n") && isOpenMetrics) fail("the line has no end");
      return line;
    },
    restOfLine() {
      const line = match(linePattern)?.[0] ?? "";
      take("\n");
      return line;
    },
    endOfLine() {
      skipOptional();
      if (!take("\n") && !(at >= text.length && !isOpenMetrics)) fail(`expected the end of the line, found ${seen()}`);
    },
    fail,
    failBefore(message) {
      throw new ExpositionError(message, Math.max(1, lineAt(at) - (text[at - 1] === "\n" ? 1 : 0)));
    },
  };
}

/** Go's strconv.ParseFloat for what the pattern allows. */
function numberOf(word: string): number {
  const lower = word.toLowerCase().replace(/^[+-]/, "");
  const sign = word.startsWith("-") ? -1 : 1;
  if (lower.startsWith("inf")) return sign * Number.POSITIVE_INFINITY;
  return lower === "nan" ? Number.NaN : Number(word);
}

/** Other escapes stay as they are, as Prometheus leaves them. */
const unescaped = (text: string): string =>
  text.includes("\\")
    ? text.replace(/\\([\\n"])/g, (_, character: string) => (character === "n" ? "\n" : character))
    : text;
