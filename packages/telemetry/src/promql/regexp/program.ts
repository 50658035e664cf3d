/** A regular expression as instructions of a machine that follows all ways at once, so that no text takes more than linear time. */
import { type Assertion, contains, type Node, RegexpError, type Syntax } from "./syntax.ts";

/** `next` is where it goes on; of a fork `other` is the less preferred way. */
export type Instruction =
  | { readonly op: "set"; readonly matches: (code: number) => boolean; next: number }
  | { readonly op: "fork"; next: number; other: number }
  | { readonly op: "save"; readonly slot: number; next: number }
  | { readonly op: "assert"; readonly what: Assertion; next: number }
  | { readonly op: "match" };

export interface Program {
  readonly instructions: readonly Instruction[];
  readonly start: number;
  /** Pairs of begin and end, of the whole and each group. */
  readonly slots: number;
  readonly hasAssertions: boolean;
}

/** Counted repetitions multiply; the time for a text is at most its length times this. */
const mostInstructions = 5000;

export function compile({ node, groups }: Syntax): Program {
  const instructions: Instruction[] = [{ op: "match" }];
  let hasAssertions = false;

  const add = (instruction: Instruction): number => {
    if (instructions.length >= mostInstructions)
      throw new RegexpError("error parsing regexp: expression nests too deeply");
    return instructions.push(instruction) - 1;
  };

  // Built from the end, so that where each goes on is known; only loops are closed afterwards.
  const build = (node: Node, next: number): number => {
    switch (node.kind) {
      case "empty":
        return next;
      case "set": {
        const { set } = node;
        return add({ op: "set", matches: matcher(set), next });
      }
      case "concat":
        return node.parts.reduceRight((after, part) => build(part, after), next);
      case "alternate":
        return node.parts
          .map((part) => build(part, next))
          .reduceRight((other, first) => add({ op: "fork", next: first, other }));
      case "group": {
        if (node.index < 0) return build(node.node, next);
        const end = add({ op: "save", slot: node.index * 2 + 1, next });
        return add({ op: "save", slot: node.index * 2, next: build(node.node, end) });
      }
      case "assert":
        hasAssertions = true;
        return add({ op: "assert", what: node.what, next });
      case "repeat":
        return repeat(node, next);
    }
  };

  const fork = (once: number, next: number, lazy: boolean): number =>
    add(lazy ? { op: "fork", next, other: once } : { op: "fork", next: once, other: next });

  const repeat = ({ node, min, max, lazy }: Node & { kind: "repeat" }, next: number): number => {
    let at = next;
    if (max === Number.POSITIVE_INFINITY) {
      const loop = { op: "fork" as const, next: 0, other: 0 };
      const start = add(loop);
      const once = build(node, start);
      loop.next = lazy ? next : once;
      loop.other = lazy ? once : next;
      at = start;
    } else {
      for (let count = min; count < max; count++) at = fork(build(node, at), next, lazy);
    }
    for (let count = 0; count < min; count++) at = build(node, at);
    return at;
  };

  const start = build({ kind: "group", node, index: 0 }, 0);
  return { instructions, start, slots: groups.length * 2, hasAssertions };
}

function matcher(set: Parameters<typeof contains>[0]): (code: number) => boolean {
  const [first, last] = set.ranges;
  if (set.ranges.length === 2 && set.classes.length === 0 && first === last)
    return set.negated ? (code) => code !== first : (code) => code === first;
  const ascii = Uint8Array.from({ length: 128 }, (_, code) => (contains(set, code) ? 1 : 0));
  return (code) => (code < 128 ? ascii[code] === 1 : contains(set, code));
}
