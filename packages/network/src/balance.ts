/** Which endpoint gets the next request. Pure. */
import type { Random } from "@flotilla/ambient";

export interface Candidate {
  readonly state: "ready" | "draining";
  /** Requests or connections under way. */
  readonly outstanding: number;
  readonly ejected: boolean;
}

/**
 * Those that may be chosen at all: ready ones, else terminating but serving ones; of these the ones that are not ejected, unless
 * that leaves none.
 */
export function eligible<C extends Candidate>(candidates: readonly C[]): readonly C[] {
  const ready = candidates.filter(({ state }) => state === "ready");
  const first = ready.length > 0 ? ready : candidates;
  const sound = first.filter(({ ejected }) => !ejected);
  return sound.length > 0 ? sound : first;
}

/** The less loaded of two random ones. Source: Mitzenmacher, The Power of Two Choices in Randomized Load Balancing. */
export function choose<C extends Candidate>(candidates: readonly C[], random: Random): C | undefined {
  const count = candidates.length;
  if (count <= 1) return candidates[0];
  const first = Math.floor(random.next() * count);
  // Another one than the first.
  const second = (first + 1 + Math.floor(random.next() * (count - 1))) % count;
  const [a, b] = [candidates[first] as C, candidates[second] as C];
  return b.outstanding < a.outstanding ? b : a;
}

/** One of several with probability by weight; undefined when all weights are 0. */
export function chooseWeighted<W extends { readonly weight: number }>(
  choices: readonly W[],
  random: Random,
): W | undefined {
  const total = choices.reduce((sum, { weight }) => sum + weight, 0);
  if (total <= 0) return undefined;
  let left = random.next() * total;
  for (const choice of choices) {
    left -= choice.weight;
    if (left < 0) return choice;
  }
  return choices.findLast(({ weight }) => weight > 0);
}
