// flotilla slo: what is promised, what came of it, what is left of each error budget, and which alerts there are.

import {
  defaultObjectiveWindow,
  parsePeriod,
  type ServiceLevelObjective,
  ServiceLevelObjectives,
} from "@flotilla/objects";
import { amount } from "../amounts.ts";
import { applicationOf } from "../connect.ts";
import { jsonText, printLines } from "../legible.ts";
import { columns, isColoured, painter, type Style } from "../terminal.ts";

export interface SloOptions {
  readonly output?: "json";
}

export async function slo(dir: string, { output }: SloOptions): Promise<void> {
  const { api, app } = await applicationOf(dir);
  const { items } = await api.list(ServiceLevelObjectives, { namespace: app.metadata.namespace as string });
  if (output === "json") return void process.stdout.write(`${jsonText(items, 2)}\n`);
  if (items.length === 0)
    return void process.stderr.write(
      'No objectives. A service states its own: objectives: { availability: "99.9%" }\n',
    );
  printLines(process.stdout, table(items, painter(isColoured(process.stdout))));
}

export function table(
  items: readonly ServiceLevelObjective[],
  paint: (style: Style, text: string) => string,
): string[] {
  const head = ["OBJECTIVE", "SERVICE", "PROMISED", "NOW", "BUDGET LEFT", "BURN RATE", "STATE"];
  const rows = items.map(({ metadata, spec, status }) => [
    metadata.name,
    spec.service,
    `${spec.target} over ${spec.window ?? defaultObjectiveWindow}`,
    status?.current ?? "-",
    status?.errorBudget ? budget(status.errorBudget.remaining, status.errorBudget.remainingTime, paint) : "-",
    rates(status?.burnRates ?? {}),
    state(status?.conditions ?? [], paint),
  ]);
  const alerts = items.flatMap(({ metadata, status }) =>
    (status?.alerts ?? [])
      .filter((alert) => alert.state === "Firing")
      .map(({ severity, firedAt = "", message = "" }) =>
        paint("red", `${severity}: ${metadata.name}, since ${firedAt}: ${message}`),
      ),
  );
  const [titles = "", ...lines] = columns([head.map((title) => paint("dim", title)), ...rows]);
  const unknowns = items.flatMap(({ metadata, status }) =>
    (status?.conditions ?? [])
      .filter((condition) => condition.type === "Healthy" && condition.status === "Unknown")
      .map(({ message = "" }) => paint("yellow", `${metadata.name}: ${message}`)),
  );
  const said = [...unknowns, ...alerts];
  const inWords = items.map(({ spec: { description } }) => (description ? [paint("dim", `  ${description}`)] : []));
  return [
    titles,
    ...lines.flatMap((line, i) => [line, ...(inWords[i] ?? [])]),
    ...(said.length > 0 ? ["", ...said] : []),
  ];
}

const cells = 10;

/** "██████░░░░ 65%  28m3s", "░░░░░░░░░░ spent 2.5 times". */
function budget(remaining: number, time: string, paint: (style: Style, text: string) => string): string {
  const filled = Math.round(Math.max(0, Math.min(1, remaining)) * cells);
  const style = remaining <= 0 ? "red" : remaining < 0.25 ? "yellow" : "green";
  const bar = `${paint(style, "█".repeat(filled))}${"░".repeat(cells - filled)}`;
  return remaining < 0 ? `${bar} spent ${amount(1 - remaining)} times` : `${bar} ${amount(remaining * 100)}%  ${time}`;
}

/** In the shortest window, the longest and one between: "5m 0.4, 2h 0.2, 3d 0.1". */
function rates(burnRates: Readonly<Record<string, number>>): string {
  const all = Object.entries(burnRates).sort(([a], [b]) => (parsePeriod(a) ?? 0) - (parsePeriod(b) ?? 0));
  const places = new Set([0, Math.floor(all.length / 2), all.length - 1]);
  const shown = all.filter((_, place) => places.has(place));
  return shown.map(([window, rate]) => `${window} ${amount(rate)}`).join(", ") || "-";
}

function state(
  conditions: readonly { readonly type: string; readonly status: string; readonly reason?: string }[],
  paint: (style: Style, text: string) => string,
): string {
  const of = (wanted: string) => conditions.find(({ type }) => type === wanted);
  const [healthy, alerting] = [of("Healthy"), of("Alerting")];
  if (alerting?.status === "True") return paint("red", `alerting: ${alerting.reason}`);
  if (healthy?.status === "True") return paint("green", "healthy");
  return paint("yellow", inLowerCase(healthy?.reason ?? "NotMeasuredYet"));
}

/** "TooFewEvents" as "too few events". */
const inLowerCase = (reason: string): string =>
  reason.replace(/[A-Z]/g, (letter, at: number) => `${at > 0 ? " " : ""}${letter.toLowerCase()}`);
