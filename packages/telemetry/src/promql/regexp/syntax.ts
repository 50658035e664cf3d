/**
 * RE2's expressions as a tree. What RE2 lacks since it cannot be matched in linear time (backreferences, lookaround) is refused.
 *
 * Source: Go's regexp/syntax, whose words the errors follow.
 */
import { type CharacterSet, foldCase, named, unicodeClass } from "./character-set.ts";

export type Node =
  | { readonly kind: "empty" }
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "concat" | "alternate"; readonly parts: readonly Node[] }
  | { readonly kind: "repeat"; readonly node: Node; readonly min: number; readonly max: number; readonly lazy: boolean }
  | { readonly kind: "group"; readonly node: Node; readonly index: number }
  | { readonly kind: "assert"; readonly what: Assertion };

export type Assertion = "begin text" | "end text" | "begin line" | "end line" | "word" | "no word";

export interface Syntax {
  readonly node: Node;
  /** Names of the groups by index; index 0 is the whole. */
  readonly groups: readonly (string | undefined)[];
}

export class RegexpError extends Error {}

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
  readonly swapLazy: boolean;
}

/** RE2 allows no more repetitions, and no deeper nesting. */
const mostRepeats = 1000;
const deepest = 1000;

export function parseSyntax(source: string): Syntax {
  return new SyntaxParser(source).parse();
}

const fail = (what: string, text: string): never => {
  throw new RegexpError(`error parsing regexp: ${what}: \`${text}\``);
};

/** Whole expressions are told as Prometheus hands them on. */
const anchored = (source: string): string => `^(?:${source})$`;

const single = (code: number): CharacterSet => ({ ranges: [code, code], classes: [], negated: false });

class SyntaxParser {
  readonly #source: string;
  readonly #groups: (string | undefined)[] = [undefined];
  #at = 0;
  #depth = 0;
  #flags: Flags = { ignoreCase: false, multiLine: false, dotAll: false, swapLazy: false };

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Syntax {
    const node = this.#alternation();
    if (this.#at < this.#source.length) fail("unexpected )", anchored(this.#source));
    return { node, groups: this.#groups };
  }

  #peek(): string | undefined {
    return this.#source[this.#at];
  }

  #eat(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #alternation(): Node {
    if (++this.#depth > deepest) fail("expression nests too deeply", this.#source.slice(0, 50));
    const before = this.#flags;
    const parts = [this.#concatenation()];
    while (this.#eat("|")) parts.push(this.#concatenation());
    // Flags set inside of a group end with it.
    this.#flags = before;
    this.#depth--;
    return parts.length === 1 ? (parts[0] as Node) : { kind: "alternate", parts };
  }

  #concatenation(): Node {
    const parts: Node[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek()) {
      const node = this.#atom();
      if (node) parts.push(...(Array.isArray(node) ? node : [this.#repeated(node)]));
    }
    if (parts.length === 1) return parts[0] as Node;
    return parts.length === 0 ? { kind: "empty" } : { kind: "concat", parts };
  }

  #repeated(atom: Node): Node {
    const start = this.#at;
    const first = this.#quantifier();
    if (!first) return atom;
    const lazy = this.#eat("?") !== this.#flags.swapLazy;
    const end = this.#at;
    if (this.#quantifier()) fail("invalid nested repetition operator", this.#source.slice(start, this.#at));
    this.#at = end;
    const [min, max] = first;
    return { kind: "repeat", node: atom, min, max, lazy };
  }

  #quantifier(): readonly [min: number, max: number] | undefined {
    if (this.#eat("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#eat("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#eat("?")) return [0, 1];
    const counted = /^\{(\d+)(,?)(\d*)\}/.exec(this.#source.slice(this.#at, this.#at + 16));
    if (!counted) return undefined;
    const [text, low, comma, high] = counted;
    this.#at += text.length;
    const min = Number(low);
    const max = comma ? (high ? Number(high) : Number.POSITIVE_INFINITY) : min;
    if (min > mostRepeats || (max !== Number.POSITIVE_INFINITY && (max > mostRepeats || max < min)))
      fail("invalid repeat count", text);
    return [min, max];
  }

  /** Undefined: flags, which are no node. Several: a quoted text. */
  #atom(): Node | Node[] | undefined {
    const next = this.#peek() as string;
    switch (next) {
      case "(":
        return this.#group();
      case "[":
        return { kind: "set", set: this.#bracket() };
      case ".":
        this.#at++;
        return { kind: "set", set: { ranges: this.#flags.dotAll ? [] : [10, 10], classes: [], negated: true } };
      case "^":
        this.#at++;
        return { kind: "assert", what: this.#flags.multiLine ? "begin line" : "begin text" };
      case "$":
        this.#at++;
        return { kind: "assert", what: this.#flags.multiLine ? "end line" : "end text" };
      case "*":
      case "+":
      case "?":
        return fail("missing argument to repetition operator", next);
      case "\\":
        return this.#escape();
    }
    const code = this.#source.codePointAt(this.#at) as number;
    this.#at += code > 0xffff ? 2 : 1;
    return this.#literal(code);
  }

  #literal(code: number): Node {
    return { kind: "set", set: this.#folded(single(code)) };
  }

  #folded(set: CharacterSet): CharacterSet {
    return this.#flags.ignoreCase ? foldCase(set) : set;
  }

  #group(): Node | undefined {
    const start = this.#at;
    this.#at++;
    if (!this.#eat("?")) return this.#captured(undefined);
    const rest = this.#source.slice(this.#at);
    const name = /^P?<([A-Za-z0-9_]+)>/.exec(rest);
    if (name) {
      this.#at += name[0].length;
      if (this.#groups.includes(name[1])) fail("duplicate capture group name", name[1] as string);
      return this.#captured(name[1]);
    }
    const flags = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest);
    if (!flags || flags[0] === ")")
      return fail("invalid or unsupported Perl syntax", this.#source.slice(start, start + 3));
    this.#at += flags[0].length;
    const outer = this.#flags;
    this.#flags = withFlags(withFlags(outer, flags[1] ?? "", true), flags[2] ?? "", false);
    if (flags[3] === ")") return undefined;
    const node = this.#alternation();
    this.#close();
    this.#flags = outer;
    return { kind: "group", node, index: -1 };
  }

  #captured(name: string | undefined): Node {
    const index = this.#groups.push(name) - 1;
    const node = this.#alternation();
    this.#close();
    return { kind: "group", node, index };
  }

  #close(): void {
    if (!this.#eat(")")) fail("missing closing )", anchored(this.#source));
  }

  #escape(): Node | Node[] {
    const letter = this.#source[this.#at + 1];
    if (letter === undefined) fail("trailing backslash at end of expression", "");
    const assertion = assertions[letter as string];
    if (assertion) {
      this.#at += 2;
      return { kind: "assert", what: assertion };
    }
    if (letter === "Q") return this.#quotedText();
    const set = this.#classEscape();
    if (set) return { kind: "set", set: this.#folded(set) };
    return this.#literal(this.#characterEscape());
  }

  #quotedText(): Node[] {
    const end = this.#source.indexOf("\\E", this.#at);
    const text = this.#source.slice(this.#at + 2, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.#source.length : end + 2;
    const nodes = [...text].map((character) => this.#literal(character.codePointAt(0) as number));
    const last = nodes.pop();
    return last ? [...nodes, this.#repeated(last)] : [];
  }

  /** \d, \W, \pL, \P{Greek}. */
  #classEscape(): CharacterSet | undefined {
    const perl = named(this.#source.slice(this.#at, this.#at + 2));
    if (perl) {
      this.#at += 2;
      return perl;
    }
    const unicode = /^\\([pP])(?:\{(\^?)(\w+)\}|(\w))/.exec(this.#source.slice(this.#at, this.#at + 64));
    if (!unicode) {
      if (/^\\[pP]/.test(this.#source.slice(this.#at, this.#at + 2)))
        fail("invalid character class range", this.#source.slice(this.#at, this.#at + 3));
      return undefined;
    }
    const [text, letter, caret, long, short] = unicode;
    const found = unicodeClass(long ?? (short as string));
    if (!found) return fail("invalid character class range", text);
    this.#at += text.length;
    return { ranges: [], classes: [found], negated: (letter === "P") !== (caret === "^") };
  }

  #characterEscape(): number {
    const rest = this.#source.slice(this.#at, this.#at + 16);
    const hex = /^\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\})/.exec(rest);
    if (hex) {
      const code = Number.parseInt((hex[1] ?? hex[2]) as string, 16);
      if (code > 0x10ffff) fail("invalid escape sequence", hex[0]);
      this.#at += hex[0].length;
      return code;
    }
    const octal = /^\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest);
    if (octal) {
      this.#at += octal[0].length;
      return Number.parseInt(octal[1] as string, 8);
    }
    const letter = rest[1] as string;
    const control = "afnrtv".indexOf(letter);
    if (control >= 0) {
      this.#at += 2;
      return [7, 12, 10, 13, 9, 11][control] as number;
    }
    const code = letter.codePointAt(0) as number;
    if (code >= 0x80 || /[A-Za-z0-9]/.test(letter)) fail("invalid escape sequence", rest.slice(0, 2));
    this.#at += 2;
    return code;
  }

  #bracket(): CharacterSet {
    const start = this.#at;
    this.#at++;
    const negated = this.#eat("^");
    const ranges: number[] = [];
    const classes: ((code: number) => boolean)[] = [];
    // In a negated class a line feed counts as any other.
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      if (this.#at >= this.#source.length) fail("missing closing ]", this.#source.slice(start));
      const set = this.#posixClass() ?? (this.#peek() === "\\" ? this.#classEscape() : undefined);
      if (set) {
        if (set.negated) classes.push((code) => contains(set, code));
        else {
          ranges.push(...set.ranges);
          classes.push(...set.classes);
        }
        continue;
      }
      const low = this.#bracketCharacter(start);
      const isRange = this.#peek() === "-" && this.#source[this.#at + 1] !== "]" && this.#at + 1 < this.#source.length;
      if (isRange) this.#at++;
      const high = isRange ? this.#bracketCharacter(start) : low;
      if (high < low) fail("invalid character class range", this.#source.slice(this.#at - 3, this.#at));
      ranges.push(low, high);
    }
    this.#at++;
    return { ...this.#folded({ ranges, classes, negated: false }), negated };
  }

  #bracketCharacter(start: number): number {
    if (this.#at >= this.#source.length) fail("missing closing ]", this.#source.slice(start));
    if (this.#peek() === "\\") {
      if (this.#at + 1 >= this.#source.length) fail("trailing backslash at end of expression", "");
      return this.#characterEscape();
    }
    const code = this.#source.codePointAt(this.#at) as number;
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  #posixClass(): CharacterSet | undefined {
    const found = /^\[:\^?\w+:\]/.exec(this.#source.slice(this.#at, this.#at + 16));
    if (!found) return undefined;
    const set = named(found[0]);
    if (!set) return fail("invalid character class range", found[0]);
    this.#at += found[0].length;
    return set;
  }
}

const assertions: Readonly<Record<string, Assertion | undefined>> = {
  A: "begin text",
  z: "end text",
  b: "word",
  B: "no word",
};

const withFlags = (flags: Flags, letters: string, on: boolean): Flags => ({
  ignoreCase: letters.includes("i") ? on : flags.ignoreCase,
  multiLine: letters.includes("m") ? on : flags.multiLine,
  dotAll: letters.includes("s") ? on : flags.dotAll,
  swapLazy: letters.includes("U") ? on : flags.swapLazy,
});

export function contains({ ranges, classes, negated }: CharacterSet, code: number): boolean {
  for (let at = 0; at < ranges.length; at += 2)
    if (code >= (ranges[at] as number) && code <= (ranges[at + 1] as number)) return !negated;
  for (const isIn of classes) if (isIn(code)) return !negated;
  return negated;
}
