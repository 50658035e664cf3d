/**
 * What a text must contain for a regular expression to match it: one of several literals. Finding bytes in a block is far faster than
 * running an expression over each of its lines.
 *
 * Source: Russ Cox, Regular Expression Matching with a Trigram Index, 2012 (which texts an expression requires); here the longest runs
 * of characters instead of trigrams.
 */

export interface Required {
  /** One of these is in every match; undefined: nothing is known. */
  readonly literals: readonly string[] | undefined;
  /** The expression is its literal, so that no expression is needed. */
  readonly isLiteral: boolean;
  /** It repeats something without a limit, so that it may take long. */
  readonly repeats: boolean;
}

const mostLiterals = 16;

/** `source`: an expression that has been found valid. With `ignoreCase`, literals are lower-case ASCII. */
export function requiredBy(source: string, ignoreCase: boolean): Required {
  const scanner = new Scanner(source, ignoreCase);
  const found = scanner.alternatives();
  return { literals: found.any, isLiteral: found.exact !== undefined && found.exact !== "", repeats: scanner.repeats };
}

interface Part {
  /** The part matches this text and nothing else. */
  readonly exact: string | undefined;
  /** One of these is in whatever it matches. */
  readonly any: readonly string[] | undefined;
}

const unknown: Part = { exact: undefined, any: undefined };
const nothing: Part = { exact: "", any: undefined };

class Scanner {
  readonly #source: string;
  readonly #ignoreCase: boolean;
  #at = 0;
  repeats = false;

  constructor(source: string, ignoreCase: boolean) {
    this.#source = source;
    this.#ignoreCase = ignoreCase;
  }

  /** Up to the end or the closing parenthesis. */
  alternatives(): Part {
    const parts = [this.#sequence()];
    while (this.#source[this.#at] === "|") {
      this.#at++;
      parts.push(this.#sequence());
    }
    if (parts.length === 1) return parts[0] as Part;
    const any = parts.flatMap(({ any }) => any ?? []);
    const isKnown = parts.every(({ any }) => any !== undefined) && any.length <= mostLiterals;
    return { exact: undefined, any: isKnown ? any : undefined };
  }

  #sequence(): Part {
    let run = "";
    let best: readonly string[] | undefined;
    let isExact = true;
    const offer = (any: readonly string[] | undefined) => {
      if (any && shortest(any) > shortest(best ?? [""])) best = any;
    };
    while (this.#at < this.#source.length && !"|)".includes(this.#source[this.#at] as string)) {
      const part = this.#quantified(this.#atom());
      if (part.exact !== undefined) run += part.exact;
      else {
        isExact = false;
        offer([run]);
        run = "";
        offer(part.any);
      }
    }
    offer([run]);
    return { exact: isExact ? run : undefined, any: best };
  }

  #atom(): Part {
    const character = this.#source[this.#at++] as string;
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return this.#class();
      case "\\":
        return this.#escape();
      case ".":
      case "^":
      case "$":
        return unknown;
      default:
        return this.#literal(character);
    }
  }

  /** Letters beyond ASCII have several bytes and, ignoring case, several forms. */
  #literal(character: string): Part {
    const next = this.#source[this.#at];
    if (/[\ud800-\udbff]/.test(character) && next && /[\udc00-\udfff]/.test(next)) {
      this.#at++;
      // A quantifier would be that of its second half alone.
      return this.#ignoreCase || /[*+?{]/.test(this.#source[this.#at] ?? "") ? unknown : exactly(character + next);
    }
    if (character.charCodeAt(0) >= 0x80 && (this.#ignoreCase || /[\ud800-\udfff\ufffd]/.test(character)))
      return unknown;
    return exactly(this.#ignoreCase ? character.toLowerCase() : character);
  }

  #escape(): Part {
    const character = this.#source[this.#at++] ?? "";
    const known = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v" }[character];
    if (known) return exactly(known);
    if (!/[a-zA-Z0-9]/.test(character)) return this.#literal(character);
    // Of several characters: what it stands for is not looked at, but must not be taken for text.
    const rest = /^(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|c[A-Za-z]|k<[^>]*>|[0-9]+)/.exec(
      this.#source.slice(this.#at - 1),
    );
    if (rest) this.#at += rest[0].length - 1;
    return unknown;
  }

  #class(): Part {
    for (; this.#at < this.#source.length && this.#source[this.#at] !== "]"; this.#at++)
      if (this.#source[this.#at] === "\\") this.#at++;
    this.#at++;
    return unknown;
  }

  #group(): Part {
    const kind = /^\?(?::|<?[=!]|<[^>]*>|[a-z-]*:)/.exec(this.#source.slice(this.#at))?.[0] ?? "";
    this.#at += kind.length;
    const part = this.alternatives();
    this.#at++;
    // What is looked at is no part of the match, and flags of a group change what its characters mean.
    if (/^\?<?[=!]/.test(kind) || /^\?[a-z-]+:/.test(kind)) return unknown;
    return part;
  }

  #quantified(part: Part): Part {
    const [text, min, comma, max] = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})/.exec(this.#source.slice(this.#at)) ?? [];
    if (text === undefined) return part;
    this.#at += text.length;
    if (this.#source[this.#at] === "?") this.#at++;
    const isBounded = text === "?" || (min !== undefined && (comma === "" || max !== ""));
    if (!isBounded || Number(max || min || 0) > 100) this.repeats = true;
    const isOptional = text === "?" || text === "*" || Number(min ?? 1) === 0;
    if (isOptional) return unknown;
    return part.exact === undefined ? part : { exact: undefined, any: part.exact === "" ? undefined : [part.exact] };
  }
}

const exactly = (text: string): Part => (text === "" ? nothing : { exact: text, any: [text] });

const shortest = (texts: readonly string[]): number => Math.min(...texts.map(({ length }) => length));
