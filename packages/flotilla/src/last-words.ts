/** What a process of the cluster said last, for when it ends before it can be asked. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** "2026-01-01T00:00:00.000000000Z stderr F ": the container runtime's beginning of a line. */
const prefix = /^\S+ std(out|err) [FP] /;

/** The last line of the control plane's log since a moment (in ms), with the folder of its logs; undefined: it said nothing. */
export function controlPlaneSaid(nodeFolder: string, since: number): { line: string; folder: string } | undefined {
  const folder = join(nodeFolder, "logs", "kube-system_control-plane_static", "control-plane");
  if (!existsSync(folder)) return undefined;
  const files = readdirSync(folder).map((name) => ({ name, at: statSync(join(folder, name)).mtimeMs }));
  const newest = files.filter(({ at }) => at >= since).sort((a, b) => b.at - a.at);
  for (const { name } of newest) {
    const line = readFileSync(join(folder, name), "utf8").trimEnd().split("\n").at(-1)?.replace(prefix, "");
    if (line) return { line, folder };
  }
  return undefined;
}
