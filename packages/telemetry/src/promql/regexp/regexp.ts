/** Regular expressions as Prometheus has them: RE2's, for the whole text, in linear time. */
import { compile } from "./program.ts";
import { match, recognizer } from "./run.ts";
import { parseSyntax } from "./syntax.ts";

export { RegexpError } from "./syntax.ts";

export interface Regexp {
  /** Whether the whole text matches. */
  test(text: string): boolean;
  /** `template` with $1, ${1} and ${name} replaced by what the groups hold; undefined: the text does not match. */
  expand(text: string, template: string): string | undefined;
}

/** Texts without any character that means something. */
const literals = /^[\w :/,@=&%~;<>!"'#-]*(?:\|[\w :/,@=&%~;<>!"'#-]*)*$/;

/** A mistake is a `RegexpError` in the words of Go's regexp. */
export function parseRegexp(source: string): Regexp {
  const syntax = parseSyntax(source);
  const program = compile(syntax);
  const test =
    fast(source) ?? (program.hasAssertions ? (text: string) => match(program, text) !== undefined : undefined);
  let lazily = test;
  return {
    test: (text) => {
      lazily ??= recognizer(program);
      return lazily(text);
    },
    expand(text, template) {
      const slots = match(program, text);
      return slots && expanded(template, text, slots, syntax.groups);
    },
  };
}

/** The expressions that dashboards are full of need no machine. */
function fast(source: string): ((text: string) => boolean) | undefined {
  if (source === ".*") return (text) => !text.includes("\n");
  if (source === ".+") return (text) => text !== "" && !text.includes("\n");
  if (!literals.test(source)) return undefined;
  const texts = new Set(source.split("|"));
  return (text) => texts.has(text);
}

/** Source: Go's regexp.Expand: the longest name of letters, digits and underscores; one that is no group is empty. */
function expanded(
  template: string,
  text: string,
  slots: readonly number[],
  groups: readonly (string | undefined)[],
): string {
  return template.replaceAll(
    /\$(?:\$|\{(\w+)\}|(\w+))/g,
    (whole, braced: string | undefined, plain: string | undefined) => {
      if (whole === "$$") return "$";
      const name = (braced ?? plain) as string;
      const index = /^\d+$/.test(name) ? Number(name) : groups.indexOf(name);
      const begin = index >= 0 ? slots[index * 2] : undefined;
      return begin === undefined || begin < 0 ? "" : text.slice(begin, slots[index * 2 + 1]);
    },
  );
}
