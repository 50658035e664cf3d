/** The figures as a table. */

export interface Figure {
  readonly what: string;
  readonly ours: string;
  /** What it is held against; "" where there is nothing. */
  readonly peer?: string;
  readonly ratio?: string;
  readonly aim?: string;
}

const columns = ["what", "ours", "peer", "ratio", "aim"] as const;

export function tableOf(figures: readonly Figure[]): string {
  const rows = [Object.fromEntries(columns.map((name) => [name, name])) as unknown as Figure, ...figures];
  const width = (name: (typeof columns)[number]) => Math.max(...rows.map((row) => (row[name] ?? "").length));
  const line = (row: Figure) => `| ${columns.map((name) => (row[name] ?? "").padEnd(width(name))).join(" | ")} |`;
  const [head, ...body] = rows.map(line);
  return [head, `|${columns.map((name) => "-".repeat(width(name) + 2)).join("|")}|`, ...body].join("\n");
}

export const ms = (value: number): string => (value < 10 ? `${value.toFixed(2)} ms` : `${Math.round(value)} ms`);
export const mib = (value: number): string => `${Math.round(value)} MiB`;
export const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
/** "9.8 times less". */
export const less = (ours: number, peer: number): string => `${(peer / ours).toFixed(1)} times less`;
