/** What an order is, and what makes one acceptable. No I/O here: this file can be tested with values alone. */
export interface Line {
  readonly product: string;
  readonly quantity: number;
  /** Cents, for one piece. */
  readonly price: number;
}

export interface NewOrder {
  /** Chosen by the caller, so that sending the same order twice makes one order. */
  readonly id: string;
  readonly email: string;
  readonly lines: readonly Line[];
}

/** From /etc/shop/rules.json, a file that the model mounts. */
export interface Rules {
  readonly maximumLines: number;
  readonly maximumQuantity: number;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The order, or a text that tells the shopper what is wrong with it. */
export function parseOrder(value: unknown, rules: Rules): NewOrder | string {
  const { id, email, lines } = (value ?? {}) as Partial<Record<keyof NewOrder, unknown>>;
  if (typeof id !== "string" || !uuid.test(id)) return "id: a UUID, please";
  if (typeof email !== "string" || !/^\S+@\S+$/.test(email)) return "email: an address, please";
  if (!Array.isArray(lines) || lines.length === 0) return "lines: at least one, please";
  if (lines.length > rules.maximumLines) return `lines: at most ${rules.maximumLines}`;
  const products = new Set<string>();
  for (const line of lines as Partial<Line>[]) {
    if (typeof line.product !== "string" || products.has(line.product)) return "lines: every product once, please";
    products.add(line.product);
    if (!Number.isInteger(line.price) || (line.price as number) < 0) return `${line.product}: what is its price?`;
    const quantity = line.quantity as number;
    if (!Number.isInteger(quantity) || quantity < 1 || quantity > rules.maximumQuantity)
      return `${line.product}: between 1 and ${rules.maximumQuantity}, please`;
  }
  return { id, email, lines: lines as Line[] };
}

export const total = (lines: readonly Line[]): number =>
  lines.reduce((sum, line) => sum + line.quantity * line.price, 0);
