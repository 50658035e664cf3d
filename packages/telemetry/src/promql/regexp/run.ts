/**
 * Runs a program over a whole text, from its first to its last character.
 *
 * Source: Russ Cox, "Regular Expression Matching: the Virtual Machine Approach" (for groups, with leftmost-first preference) and "in
 * the Wild" (states made as they are met, for a plain yes or no).
 */
import type { Program } from "./program.ts";
import type { Assertion } from "./syntax.ts";

/** States are forgotten beyond this, so that an expression's memory is bounded. */
const mostStates = 500;

interface State {
  readonly at: readonly number[];
  readonly accepts: boolean;
  /** By code point below 128; others are worked out each time. */
  readonly next: (State | undefined)[];
}

/** Whether all of a text matches. For programs without assertions. */
export function recognizer({ instructions, start }: Program): (text: string) => boolean {
  let states = new Map<string, State>();

  const follow = (points: readonly number[]): State => {
    const seen = new Set<number>();
    const rest = [...points].reverse();
    let accepts = false;
    for (let point = rest.pop(); point !== undefined; point = rest.pop()) {
      if (seen.has(point)) continue;
      seen.add(point);
      const instruction = instructions[point];
      if (instruction?.op === "fork") rest.push(instruction.other, instruction.next);
      else if (instruction?.op === "save") rest.push(instruction.next);
      else if (instruction?.op === "match") accepts = true;
    }
    const at = [...seen].filter((point) => instructions[point]?.op === "set").sort((a, b) => a - b);
    const key = `${at.join()}${accepts}`;
    const known = states.get(key);
    if (known) return known;
    if (states.size >= mostStates) states = new Map();
    const state: State = { at, accepts, next: new Array(128) };
    states.set(key, state);
    return state;
  };

  const step = (state: State, code: number): State => {
    const points: number[] = [];
    for (const point of state.at) {
      const instruction = instructions[point];
      if (instruction?.op === "set" && instruction.matches(code)) points.push(instruction.next);
    }
    return follow(points);
  };

  const first = follow([start]);
  return (text) => {
    let state = first;
    for (let at = 0; at < text.length; ) {
      const code = text.codePointAt(at) as number;
      at += code > 0xffff ? 2 : 1;
      let next = code < 128 ? state.next[code] : undefined;
      if (!next) {
        next = step(state, code);
        if (code < 128) state.next[code] = next;
      }
      state = next;
      if (state.at.length === 0) return state.accepts && at === text.length;
    }
    return state.accepts;
  };
}

interface Thread {
  readonly point: number;
  readonly slots: readonly number[];
}

/** Where the groups are when all of the text matches: begin and end of each, -1 for those that took no part. */
export function match({ instructions, start, slots }: Program, text: string): readonly number[] | undefined {
  let threads: Thread[] = [];
  let found: readonly number[] | undefined;

  const enter = (into: Thread[], seen: Set<number>, thread: Thread, at: number): void => {
    const rest = [thread];
    for (let current = rest.pop(); current; current = rest.pop()) {
      if (seen.has(current.point)) continue;
      seen.add(current.point);
      const instruction = instructions[current.point];
      if (instruction?.op === "fork") {
        rest.push({ ...current, point: instruction.other }, { ...current, point: instruction.next });
      } else if (instruction?.op === "save") {
        rest.push({ point: instruction.next, slots: current.slots.with(instruction.slot, at) });
      } else if (instruction?.op === "assert") {
        if (holds(instruction.what, text, at)) rest.push({ ...current, point: instruction.next });
      } else into.push(current);
    }
  };

  enter(threads, new Set(), { point: start, slots: new Array(slots).fill(-1) }, 0);
  for (let at = 0; at <= text.length && threads.length > 0; ) {
    const code = text.codePointAt(at);
    if (code === undefined) {
      found = threads.find(({ point }) => instructions[point]?.op === "match")?.slots;
      break;
    }
    at += code > 0xffff ? 2 : 1;
    const next: Thread[] = [];
    const seen = new Set<number>();
    for (const { point, slots } of threads) {
      const instruction = instructions[point];
      if (instruction?.op === "set" && instruction.matches(code))
        enter(next, seen, { point: instruction.next, slots }, at);
    }
    threads = next;
  }
  return found;
}

function holds(what: Assertion, text: string, at: number): boolean {
  switch (what) {
    case "begin text":
      return at === 0;
    case "end text":
      return at === text.length;
    case "begin line":
      return at === 0 || text[at - 1] === "\n";
    case "end line":
      return at === text.length || text[at] === "\n";
    default:
      return (isWord(text[at - 1]) !== isWord(text[at])) === (what === "word");
  }
}

const isWord = (character: string | undefined): boolean => character !== undefined && /[0-9A-Za-z_]/.test(character);
