/** Memory and processor use of all of our processes, with the shop running, beside the processes of another stack. */
import { memoryOf, pause, processorUse, withChildren } from "./measure.ts";
import type { Shop } from "./shop.ts";
import { type Figure, less, mib, percent } from "./table.ts";

/** Milliseconds. */
const settling = 15_000;
const watching = 30_000;

/** The stack's processes; what they started belongs to them. */
const peers = (): number[] =>
  (process.env.FLOTILLA_BENCH_PEER_PIDS ?? "")
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(Number);

export async function idle(shop: Shop): Promise<Figure[]> {
  await shop.up();
  await pause(settling);
  const roots = peers();
  if (roots.length === 0)
    console.error("the other stack is left out: set FLOTILLA_BENCH_PEER_PIDS to the ids of its processes");
  const groups = [shop.ownProcesses(), withChildren(roots)] as const;
  const [ours = 0, theirs = 0] = await processorUse(groups, watching);
  const [our, their] = groups.map(memoryOf) as [ReturnType<typeof memoryOf>, ReturnType<typeof memoryOf>];
  const compared = (mine: number, other: number, show: (value: number) => string) =>
    roots.length > 0 ? { peer: show(other), ratio: less(mine, other) } : {};
  return [
    { what: "shop idle: memory, PSS", ours: mib(our.pss), ...compared(our.pss, their.pss, mib), aim: "4 times less" },
    { what: "shop idle: memory, RSS", ours: mib(our.rss), ...compared(our.rss, their.rss, mib) },
    { what: "shop idle: of a core", ours: percent(ours), ...compared(ours, theirs, percent), aim: "1 %" },
  ];
}
