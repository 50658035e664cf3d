/** Writes ASN.1 in its distinguished encoding, as far as certificates need it. Source: ITU-T X.690. */

export type Der = Buffer;

const element = (tag: number, ...content: Uint8Array[]): Der => {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
};

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const sequence = (...items: Der[]): Der => element(0x30, ...items);
export const set = (...items: Der[]): Der => element(0x31, ...items);
export const octets = (content: Uint8Array): Der => element(0x04, content);
export const utf8 = (text: string): Der => element(0x0c, Buffer.from(text));
export const boolean = (value: boolean): Der => element(0x01, Buffer.from([value ? 0xff : 0]));
/** `unused` bits at the end of the last byte. */
export const bits = (content: Uint8Array, unused = 0): Der => element(0x03, Buffer.from([unused]), content);
/** [n] that holds an element of its own. */
export const explicit = (n: number, ...items: Der[]): Der => element(0xa0 | n, ...items);
/** [n] in the place of a primitive element's own tag. */
export const implicit = (n: number, content: Uint8Array): Der => element(0x80 | n, content);

/** Big-endian, not negative. */
export function integer(value: Uint8Array): Der {
  let start = 0;
  while (start < value.length - 1 && value[start] === 0) start++;
  const bytes = value.subarray(start);
  return element(0x02, Buffer.from((bytes[0] ?? 0) & 0x80 ? [0] : []), bytes);
}

/** "2.5.29.17" */
export function oid(text: string): Der {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let more = arc >>> 7; more > 0; more >>>= 7) groups.unshift((more & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return element(0x06, Buffer.from(bytes));
}

/** Seconds; years before 2050 in two digits. Source: RFC 5280 section 4.1.2.5. */
export function time(date: Date): Der {
  const digits = `${date.toISOString().slice(0, 19).replace(/[-:T]/g, "")}Z`;
  return date.getUTCFullYear() < 2050
    ? element(0x17, Buffer.from(digits.slice(2)))
    : element(0x18, Buffer.from(digits));
}
