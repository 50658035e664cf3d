/** "25%" of a total, or a plain number. Source: kubernetes apimachinery pkg/util/intstr. */
import type { IntOrString } from "@flotilla/objects";

export function scaled(value: IntOrString | undefined, total: number, round: "up" | "down"): number {
  if (value === undefined) return 0;
  if (typeof value === "number") return value;
  const match = /^(\d+)%$/.exec(value);
  if (!match) return 0;
  const exact = (Number(match[1]) * total) / 100;
  return round === "up" ? Math.ceil(exact) : Math.floor(exact);
}
