/** Process start to the first answered `kubectl get`, and idle memory, of the control plane beside kube-apiserver and etcd. */
import { answersGet, type ControlPlane, embedded, upstream } from "./control-planes.ts";
import { type Memory, median, memoryOf, pause, processorTime, timed, until } from "./measure.ts";
import { Resources } from "./resources.ts";
import type { Shop } from "./shop.ts";
import { type Figure, less, mib, ms } from "./table.ts";

const rounds = 5;
/** Milliseconds after the first answer when it is called idle. */
const idleAfter = 10_000;

interface Run {
  readonly wall: number;
  readonly cpu: number;
  readonly memory?: Memory;
}

async function run(all: Resources, make: (resources: Resources) => Promise<ControlPlane | string>, idle: boolean) {
  const resources = new Resources(all);
  try {
    const plane = await make(resources);
    if (typeof plane === "string") return plane;
    let pids: number[] = [];
    const wall = await timed(async () => {
      const children = plane.start();
      for (const child of children) resources.defer(() => child.end());
      pids = children.map(({ pid }) => pid);
      await until(`${plane.name} answers`, () => answersGet(plane));
    });
    const cpu = processorTime(pids);
    if (!idle) return { wall, cpu };
    await pause(idleAfter);
    return { wall, cpu, memory: memoryOf(pids) };
  } finally {
    await resources.release();
  }
}

export async function start(_shop: Shop, all: Resources): Promise<Figure[]> {
  // Compiled code is there from the second start on, as for everybody who starts it twice.
  await run(all, embedded, true);
  const ours: Run[] = [];
  const theirs: Run[] = [];
  let missing: string | undefined;
  // In turn, so that whatever else this machine does hits both.
  for (let i = 0; i < rounds; i++) {
    const last = i === rounds - 1;
    ours.push((await run(all, embedded, last)) as Run);
    const peer = missing === undefined ? await run(all, upstream, last) : missing;
    if (typeof peer === "string") missing = peer;
    else theirs.push(peer);
  }
  if (missing !== undefined) console.error(`kube-apiserver is left out: ${missing}`);
  const row = (what: string, of: (run: Run) => number | undefined, show: (value: number) => string, aim?: string) => {
    const value = (runs: Run[]) => median(runs.map(of).filter((each) => each !== undefined));
    const [our, their] = [value(ours), value(theirs)];
    const compared = theirs.length > 0 ? { peer: show(their), ratio: less(our, their) } : {};
    return { what, ours: show(our), ...compared, aim };
  };
  return [
    row("start to first answered get", ({ wall }) => wall, ms, "10 times less"),
    row("... processor time", ({ cpu }) => cpu, ms),
    row("idle memory, PSS", ({ memory }) => memory?.pss, mib, "3 times less"),
    row("idle memory, RSS", ({ memory }) => memory?.rss, mib),
  ];
}
