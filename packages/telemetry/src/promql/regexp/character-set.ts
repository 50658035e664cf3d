/** Sets of code points in regular expressions. */

export interface CharacterSet {
  /** Pairs of first and last, both included. */
  readonly ranges: readonly number[];
  readonly classes: readonly ((code: number) => boolean)[];
  readonly negated: boolean;
}

const digit = [0x30, 0x39];
const upper = [0x41, 0x5a];
const lower = [0x61, 0x7a];
const word = [...digit, ...upper, 0x5f, 0x5f, ...lower];
const perlSpace = [9, 10, 12, 13, 0x20, 0x20];

const sets: Readonly<Record<string, readonly number[]>> = {
  "\\d": digit,
  "\\s": perlSpace,
  "\\w": word,
  alnum: [...digit, ...upper, ...lower],
  alpha: [...upper, ...lower],
  ascii: [0, 0x7f],
  blank: [9, 9, 0x20, 0x20],
  cntrl: [0, 0x1f, 0x7f, 0x7f],
  digit,
  graph: [0x21, 0x7e],
  lower,
  print: [0x20, 0x7e],
  punct: [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e],
  space: [9, 13, 0x20, 0x20],
  upper,
  word,
  xdigit: [...digit, 0x41, 0x46, 0x61, 0x66],
};

/** `\d`, `\S`, `[:alpha:]`, `[:^alpha:]`; undefined: there is none of that name. */
export function named(text: string): CharacterSet | undefined {
  const posix = /^\[:(\^?)(\w+):\]$/.exec(text);
  const name = posix ? (posix[2] as string) : text.toLowerCase();
  const ranges = Object.hasOwn(sets, name) && (posix || name.startsWith("\\")) ? sets[name] : undefined;
  if (!ranges) return undefined;
  return { ranges, classes: [], negated: posix ? posix[1] === "^" : text !== name };
}

/** General categories and scripts by the names that RE2 has. */
export function unicodeClass(name: string): ((code: number) => boolean) | undefined {
  if (name === "Any") return () => true;
  for (const property of [name, `Script=${name}`])
    try {
      const pattern = new RegExp(`^\\p{${property}}$`, "u");
      return (code) => pattern.test(String.fromCodePoint(code));
    } catch {
      // Not a category; perhaps a script.
    }
  return undefined;
}

/** With the other case of each character. */
export function foldCase(set: CharacterSet): CharacterSet {
  const ranges = [...set.ranges];
  for (let at = 0; at < set.ranges.length; at += 2) {
    const first = set.ranges[at] as number;
    // Beyond the planes that have cases there is nothing to fold.
    const last = Math.min(set.ranges[at + 1] as number, 0x1e943);
    for (let code = first; code <= last; code++)
      for (const other of otherCases(code)) if (other !== code) ranges.push(other, other);
  }
  const classes = set.classes.map(
    (isIn) => (code: number) => isIn(code) || otherCases(code).some((other) => isIn(other)),
  );
  return { ranges: merged(ranges), classes, negated: set.negated };
}

function otherCases(code: number): number[] {
  const text = String.fromCodePoint(code);
  return [text.toLowerCase(), text.toUpperCase()]
    .filter((other) => other !== text && [...other].length === 1)
    .map((other) => other.codePointAt(0) as number);
}

function merged(ranges: readonly number[]): number[] {
  const pairs: [number, number][] = [];
  for (let at = 0; at < ranges.length; at += 2) pairs.push([ranges[at] as number, ranges[at + 1] as number]);
  pairs.sort(([a], [b]) => a - b);
  const out: number[] = [];
  for (const [first, last] of pairs) {
    const end = out.at(-1);
    if (end !== undefined && first <= end + 1) out[out.length - 1] = Math.max(end, last);
    else out.push(first, last);
  }
  return out;
}
