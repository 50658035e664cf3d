/** Short stable hashes for names: of pod templates, of the content of a ConfigMap. */

const prime = 0x01000193;

/** FNV-1a, 32 bits, over the text's UTF-8 bytes. Source: Go hash/fnv New32a. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(text)) hash = Math.imul(hash ^ byte, prime);
  return hash >>> 0;
}

const encoder = new TextEncoder();

/** No vowels, so that no words come out, and nothing that is mistaken for another. Source: apimachinery pkg/util/rand. */
export const safeAlphabet = "bcdfghjklmnpqrstvwxz2456789";

/** The text with every character mapped into the safe alphabet, as rand.SafeEncodeString does. */
export function safeEncode(text: string): string {
  let safe = "";
  for (const byte of encoder.encode(text)) safe += safeAlphabet[byte % safeAlphabet.length];
  return safe;
}

/** JSON with sorted keys: equal values give equal text. Members that are undefined do not count. */
export function stableStringify(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stableStringify).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, member]) => `${JSON.stringify(key)}:${stableStringify(member)}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/** A short name part (at most 10 characters) for a JSON value; changes when the value does. */
export const contentHash = (value: unknown): string => safeEncode(String(fnv1a(stableStringify(value))));
