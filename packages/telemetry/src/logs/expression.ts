/** The expression that bodies are searched for: found as bytes where it can be, checked as an expression where it must be. */
import { QueryError } from "../telemetry.ts";
import { requiredBy } from "./literals.ts";

const longest = 1000;

export class Expression {
  readonly #regExp: RegExp;
  /** One of these is in every text that matches; folded when the case is ignored. Undefined: any text may match. */
  readonly literals: readonly Buffer[] | undefined;
  /** Finding the only literal is enough. */
  readonly isLiteral: boolean;
  /** It may take very long: see `within`. */
  readonly repeats: boolean;
  readonly ignoreCase: boolean;

  /** An expression that is none is a `QueryError` with its place. */
  constructor(source: string, ignoreCase = false) {
    if (source.length > longest)
      throw new QueryError(`1:${longest + 1}: expressions have at most ${longest} characters`);
    this.#regExp = compiled(source, ignoreCase);
    const { literals, isLiteral, repeats } = requiredBy(source, ignoreCase);
    this.literals = literals?.map((literal) => Buffer.from(literal));
    this.isLiteral = isLiteral;
    this.repeats = repeats;
    this.ignoreCase = ignoreCase;
  }

  matches(text: string): boolean {
    return this.#regExp.test(text);
  }
}

/** Without "u": JavaScript's older rules, by which ignoring the case never makes an ASCII letter equal to another one. */
function compiled(source: string, ignoreCase: boolean): RegExp {
  try {
    return new RegExp(source, ignoreCase ? "i" : "");
  } catch (error) {
    const message = (error as Error).message.replace(/^Invalid regular expression: \/.*\/[a-z]*: /s, "");
    const [start, end] = placeOf(source, message);
    throw new QueryError(`1:${start + 1}: ${message}`, start, end);
  }
}

/** Of the mistake: where what was opened begins, or where the expression first is wrong however it goes on. */
function placeOf(source: string, message: string): [start: number, end: number] {
  const open = unclosed(source);
  if (/^Unterminated|^Missing/.test(message) && open !== undefined) return [open, open + 1];
  for (let end = 1; end <= source.length; end++) if (reasonOf(source.slice(0, end)) === message) return [end - 1, end];
  return [0, source.length];
}

function reasonOf(source: string): string | undefined {
  try {
    new RegExp(source);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^Invalid regular expression: \/.*\/[a-z]*: /s, "");
  }
}

/** The innermost bracket that is never closed. */
function unclosed(source: string): number | undefined {
  const open: number[] = [];
  let inClass = false;
  for (let at = 0; at < source.length; at++) {
    const character = source[at];
    if (character === "\\") at++;
    else if (inClass) {
      if (character === "]") {
        inClass = false;
        open.pop();
      }
    } else if (character === "[" || character === "(") {
      open.push(at);
      inClass = character === "[";
    } else if (character === ")") open.pop();
  }
  return open.at(-1);
}
