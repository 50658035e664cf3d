/**
 * Short texts derived from longer ones: pure, so that a repeated decision names the same objects.
 */
import { fnv1a, safeAlphabet } from "@flotilla/objects";

/** Exactly `length` characters of the safe alphabet. */
export function suffix(text: string, length = 5): string {
  // Two hashes, since one holds fewer than seven characters of this alphabet.
  let rest = BigInt(fnv1a(text)) * 4294967296n + BigInt(fnv1a(`${text}#`));
  let out = "";
  for (let i = 0; i < length; i++) {
    out += safeAlphabet[Number(rest % 27n)];
    rest /= 27n;
  }
  return out;
}

/** The base of generated names is cut so that five characters fit. Source: apiserver pkg/storage/names. */
const maxBase = 58;

/** The first `count` names `<owner>-xxxxx` that are not taken: a hash of the owner's uid and a running index. */
export function freeNames(owner: { name: string; uid: string }, taken: ReadonlySet<string>, count: number): string[] {
  const base = `${owner.name}-`.slice(0, maxBase);
  const names = new Set<string>();
  for (let index = 0; names.size < count; index++) {
    const name = base + suffix(`${owner.uid}/${index}`);
    if (!taken.has(name)) names.add(name);
  }
  return [...names];
}
