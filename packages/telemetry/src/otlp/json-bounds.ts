/**
 * Looks through JSON text before it is parsed: a body of megabytes that is nothing but "[]," or "{}," would take ten times its
 * size as objects.
 */
import { MalformedError } from "../sink.ts";

const deepestOfAll = 250;
const mostContainers = 300_000;

/** Says nothing about whether it is JSON. What is nested deeper, or too much, is a `MalformedError`. */
export function checkJson(text: string, deepest = deepestOfAll): void {
  let depth = 0;
  let containers = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quote) i = endOfText(text, i);
    else if (code === brace || code === bracket) {
      if (++depth > deepest) throw new MalformedError("nested too deeply");
      if (++containers > mostContainers) throw new MalformedError(`more than ${mostContainers} objects and lists`);
    } else if (code === closingBrace || code === closingBracket) depth--;
  }
}

const quote = 0x22;
const backslash = 0x5c;
const bracket = 0x5b;
const closingBracket = 0x5d;
const brace = 0x7b;
const closingBrace = 0x7d;

/** Index of the closing quote; of the last character where there is none. */
function endOfText(text: string, start: number): number {
  for (let end = start; ; ) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return end;
  }
}
