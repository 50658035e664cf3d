/** What the shop sells. Prices are in cents: money is never a floating-point number. */
export interface Product {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  /** Cents. */
  readonly price: number;
  readonly picture: string;
}

export const products: readonly Product[] = [
  {
    id: "sextant",
    name: "Sextant",
    text: "Finds your latitude. Brass, with a case of oak.",
    price: 24900,
    picture: "🧭",
  },
  { id: "spyglass", name: "Spyglass", text: "Three draws, twenty times nearer.", price: 8900, picture: "🔭" },
  {
    id: "anchor",
    name: "Anchor",
    text: "Holds in sand and mud. Forty kilos; we deliver.",
    price: 15900,
    picture: "⚓",
  },
  { id: "lantern", name: "Storm lantern", text: "Burns for twenty hours in any wind.", price: 3900, picture: "🏮" },
  { id: "rope", name: "Rope, 30 m", text: "Three strands of hemp, tarred.", price: 2900, picture: "🪢" },
  { id: "bell", name: "Ship's bell", text: "Heard across the harbour.", price: 6900, picture: "🔔" },
  {
    id: "chart",
    name: "Chart of the North Sea",
    text: "Soundings in fathoms, printed on linen.",
    price: 1900,
    picture: "🗺️",
  },
  { id: "lifebuoy", name: "Lifebuoy", text: "Cork and canvas. May you never need it.", price: 4900, picture: "🛟" },
];
