/** IPv4 ranges as numbers. */

export interface Cidr {
  readonly text: string;
  readonly first: number;
  readonly size: number;
}

/** Undefined for what is no IPv4 address. */
export function addressNumber(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((number, part) => number * 256 + Number(part), 0);
}

export const addressText = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");

/** Throws for what is no range; that is a mistake of whoever starts the control plane. */
export function parseCidr(text: string): Cidr {
  const [address = "", bits = ""] = text.split("/");
  const number = addressNumber(address);
  if (number === undefined || !/^\d{1,2}$/.test(bits) || Number(bits) > 30)
    throw new Error(`service range "${text}" must be an IPv4 range with at least four addresses, such as 10.96.0.0/16`);
  const size = 2 ** (32 - Number(bits));
  return { text, first: Math.floor(number / size) * size, size };
}

export const contains = ({ first, size }: Cidr, number: number): boolean => number >= first && number < first + size;
