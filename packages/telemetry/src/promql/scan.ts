/**
 * PromQL's tokens. Which characters are an error, and in which words, follows Prometheus' lexer, so that its users read what they
 * know.
 *
 * Source: prometheus 2.42 promql/parser/lex.go.
 */
import { quoted } from "./quote.ts";

export type TokenKind =
  | "aggregator"
  | "colon"
  | "duration"
  | "end of input"
  | "error"
  | "identifier"
  | "keyword"
  | "metric identifier"
  | "number"
  | "operator"
  | "preprocessor"
  | "punctuation"
  | "string";

export interface Token {
  readonly kind: TokenKind;
  /** As written; of an error its message. */
  readonly text: string;
  /** Of words in lower case, of everything else `text`. */
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

const words: Readonly<Record<string, TokenKind>> = {
  ...all("operator", "and or unless atan2"),
  ...all("aggregator", "sum avg count min max group stddev stdvar topk bottomk count_values quantile"),
  ...all("keyword", "offset by without on ignoring group_left group_right bool"),
  ...all("preprocessor", "start end"),
  ...all("number", "inf nan"),
};

function all(kind: TokenKind, names: string): Record<string, TokenKind> {
  return Object.fromEntries(names.split(" ").map((name) => [name, kind]));
}

const space = /[ \t\r\n]+/y;
const comment = /#[^\r\n]*/y;
const word = /[A-Za-z_:][A-Za-z0-9_:]*/y;
const label = /[A-Za-z_][A-Za-z0-9_]*/y;
const number = /(?:0[xX][0-9a-fA-F]*|\d*)(?:\.\d*)?(?:[eE][+-]?\d*)?/y;
const operators = /==|!=|<=|>=|[-+*/%^<>@]/y;
const matchers = /=~|!~|!=|=/y;

/** All tokens to the end or to the first error; the last is "end of input" or "error". */
export function scan(query: string): Token[] {
  return new Scanner(query).run();
}

class Scanner {
  readonly #query: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #parentheses = 0;
  #brace = false;
  #bracket = false;
  #colon = false;

  constructor(query: string) {
    this.#query = query;
  }

  run(): Token[] {
    for (;;) {
      while (this.#skip(space) || this.#skip(comment));
      const token = this.#brace ? this.#insideBraces() : this.#statement();
      this.#tokens.push(token);
      if (token.kind === "end of input" || token.kind === "error") return this.#tokens;
      this.#at = token.end;
    }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#query)?.[0];
  }

  #skip(pattern: RegExp): boolean {
    const found = this.#match(pattern);
    this.#at += found?.length ?? 0;
    return found !== undefined;
  }

  #token(kind: TokenKind, text: string): Token {
    return { kind, text, word: text, start: this.#at, end: this.#at + text.length };
  }

  #error(message: string, start = this.#at): Token {
    return { kind: "error", text: message, word: "", start, end: this.#query.length };
  }

  #statement(): Token {
    const next = this.#query[this.#at];
    if (this.#tokens.at(-1)?.word === "[") return this.#duration();
    if (next === undefined) {
      if (this.#parentheses !== 0) return this.#error("unclosed left parenthesis");
      if (this.#bracket) return this.#error("unclosed left bracket");
      return this.#token("end of input", "");
    }
    const operator = this.#match(operators);
    if (operator) return this.#token("operator", operator);
    if (next === "=") {
      if (this.#query[this.#at + 1] === "~") return this.#error("unexpected character after '=': '~'");
      return this.#token("punctuation", next);
    }
    if (next === "!") return this.#error(`unexpected character after '!': ${character(this.#query, this.#at + 1)}`);
    if (/[0-9]/.test(next) || /^\.[0-9]/.test(this.#query.slice(this.#at, this.#at + 2))) return this.#number();
    if (next === '"' || next === "'" || next === "`") return this.#string(next);
    if (/[A-Za-z_:]/.test(next)) return this.#word(next);
    return this.#punctuation(next);
  }

  #punctuation(next: string): Token {
    if (next === "(") this.#parentheses++;
    else if (next === ")") {
      if (--this.#parentheses < 0) return this.#error("unexpected right parenthesis ')'", this.#at + 1);
    } else if (next === "{") this.#brace = true;
    else if (next === "[") {
      if (this.#bracket) return this.#error("unexpected left bracket '['");
      this.#bracket = true;
      this.#colon = false;
    } else if (next === "]") {
      if (!this.#bracket) return this.#error("unexpected right bracket ']'");
      this.#bracket = false;
    } else if (next !== ",") return this.#error(`unexpected character: ${character(this.#query, this.#at)}`);
    return this.#token("punctuation", next);
  }

  #word(next: string): Token {
    if (this.#bracket) {
      if (this.#colon) return this.#error(`unexpected colon '${next}'`);
      this.#colon = true;
      return this.#token("colon", next);
    }
    const text = this.#match(word) as string;
    const lower = text.toLowerCase();
    const kind = Object.hasOwn(words, lower) ? words[lower] : undefined;
    if (kind) return { ...this.#token(kind, text), word: lower };
    return this.#token(text.includes(":") ? "metric identifier" : "identifier", text);
  }

  #number(): Token {
    const { end, isNumber } = this.#scanNumber();
    if (isNumber) return this.#token("number", this.#query.slice(this.#at, end));
    return this.#restOfDuration(end, "bad number or duration syntax");
  }

  /** What follows "[" must be a duration. */
  #duration(): Token {
    const { end, isNumber } = this.#scanNumber();
    return isNumber
      ? this.#error("missing unit character in duration")
      : this.#restOfDuration(end, "bad duration syntax");
  }

  /** How far it looks like a number, and whether it is one: what follows may not be a letter. */
  #scanNumber(): { end: number; isNumber: boolean } {
    const end = this.#at + (this.#match(number)?.length ?? 0);
    return { end, isNumber: !/[A-Za-z0-9_]/.test(this.#query[end] ?? "") };
  }

  #restOfDuration(from: number, complaint: string): Token {
    const query = this.#query;
    let at = from;
    const accept = (letters: string): boolean => {
      const isIn = query[at] !== undefined && letters.includes(query[at] as string);
      if (isIn) at++;
      return isIn;
    };
    const bad = () => this.#error(`${complaint}: ${quoted(query.slice(this.#at, at))}`);
    // Units that are none, such as "hs", are found when the duration is read.
    if (!accept("smhdwy")) return bad();
    accept("s");
    while (accept("0123456789")) {
      while (accept("0123456789"));
      if (!accept("smhdw")) return bad();
      accept("s");
    }
    if (/[A-Za-z0-9_]/.test(query[at] ?? "")) {
      at++;
      return bad();
    }
    return this.#token("duration", query.slice(this.#at, at));
  }

  #string(quote: string): Token {
    const query = this.#query;
    for (let at = this.#at + 1; ; at++) {
      const next = query[at];
      if (quote === "`" ? next === undefined : next === undefined || next === "\n")
        return this.#error(quote === "`" ? "unterminated raw string" : "unterminated quoted string");
      if (next === quote) return this.#token("string", query.slice(this.#at, at + 1));
      if (next === "\\" && quote !== "`") {
        const wrong = escapeError(query, at + 1, quote);
        if (wrong) return this.#error(wrong);
        at++;
      }
    }
  }

  #insideBraces(): Token {
    const next = this.#query[this.#at];
    if (next === undefined) return this.#error("unexpected end of input inside braces");
    const name = this.#match(label);
    if (name) return this.#token("identifier", name);
    if (next === '"' || next === "'" || next === "`") return this.#string(next);
    const matcher = this.#match(matchers);
    if (matcher) return this.#token(matcher === "=" ? "punctuation" : "operator", matcher);
    if (next === ",") return this.#token("punctuation", next);
    if (next === "}") {
      this.#brace = false;
      return this.#token("punctuation", next);
    }
    if (next === "{") return this.#error("unexpected left brace '{'");
    if (next === "!")
      return this.#error(`unexpected character after '!' inside braces: ${character(this.#query, this.#at + 1)}`);
    return this.#error(`unexpected character inside braces: ${character(this.#query, this.#at)}`);
  }
}

/** As Go's %q writes a rune; -1 is the end. */
function character(query: string, at: number): string {
  const code = query.codePointAt(at);
  if (code === undefined) return "'\\uffff'";
  if (code === 0x27) return "'\\''";
  const text = quoted(String.fromCodePoint(code)).slice(1, -1);
  return `'${text === '\\"' ? '"' : text}'`;
}

function escapeError(query: string, at: number, quote: string): string | undefined {
  const letter = query[at];
  if (letter === undefined) return "escape sequence not terminated";
  if ("abfnrtv\\".includes(letter) || letter === quote) return undefined;
  const [digits, base, most] =
    letter >= "0" && letter <= "7"
      ? [query.slice(at, at + 3), 8, 255]
      : letter === "x"
        ? [query.slice(at + 1, at + 3), 16, 255]
        : letter === "u"
          ? [query.slice(at + 1, at + 5), 16, 0x10ffff]
          : letter === "U"
            ? [query.slice(at + 1, at + 9), 16, 0x10ffff]
            : ["", 0, 0];
  if (base === 0) return `unknown escape sequence ${unicode(query, at)}`;
  const length = base === 8 ? 3 : letter === "x" ? 2 : letter === "u" ? 4 : 8;
  for (let index = 0; index < length; index++) {
    const digit = digits[index];
    if (digit === undefined) return "escape sequence not terminated";
    if (Number.isNaN(Number.parseInt(digit, base)))
      return `illegal character ${unicode(query, at + index + (base === 8 ? 0 : 1))} in escape sequence`;
  }
  const code = Number.parseInt(digits, base);
  return code > most || (code >= 0xd800 && code < 0xe000)
    ? "escape sequence is an invalid Unicode code point"
    : undefined;
}

/** As Go's %#U. */
function unicode(query: string, at: number): string {
  const code = query.codePointAt(at) as number;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")} '${String.fromCodePoint(code)}'`;
}

/** How a message names a token. */
export function describe({ kind, text }: Token): string {
  switch (kind) {
    case "end of input":
      return kind;
    case "keyword":
      return `<${text}>`;
    case "operator":
      return `<op:${text}>`;
    case "aggregator":
      return `<aggr:${text}>`;
    case "identifier":
    case "metric identifier":
      return `${kind} ${quoted(text)}`;
    case "string":
    case "number":
    case "duration":
      return `${kind} ${shortened(text)}`;
    default:
      return shortened(text);
  }
}

const shortened = (text: string): string =>
  text.length > 10 ? `${quoted([...text].slice(0, 10).join(""))}...` : quoted(text);
