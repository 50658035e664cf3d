/** What the texts of a ServiceLevelObjective mean: targets as "99.9%", periods as Prometheus writes them, and which make sense. */
import { type FieldError, forbiddenField, invalidValue, required } from "./field-errors.ts";
import type {
  BurnRatePolicy,
  ObjectiveAddress,
  ObjectiveIndicator,
  ObjectiveReceiver,
  ServiceLevelObjectiveSpec,
} from "./service-level-objective.ts";

/** What a query has in place of its range. */
export const windowVariable = "$window";

export const defaultObjectiveWindow = "30d";

const shortestWindow = 5 * 60_000;
const longestWindow = 90 * 86_400_000;

const units = [
  ["y", 365 * 86_400_000],
  ["w", 7 * 86_400_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;

const periodPattern = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** Milliseconds of "30d", "1h30m"; undefined for what is no period. Source: prometheus common/model (ParseDuration). */
export function parsePeriod(text: string): number | undefined {
  const parts = text === "" ? null : periodPattern.exec(text);
  if (!parts) return undefined;
  return units.reduce((sum, [, unit], i) => sum + Number(parts[i + 1] ?? 0) * unit, 0);
}

/** As Prometheus takes it, in the largest units that leave nothing over: "3d", "90m" is "1h30m". Whole milliseconds. */
export function formatPeriod(milliseconds: number): string {
  let rest = Math.round(milliseconds);
  if (rest === 0) return "0s";
  let text = "";
  for (const [name, unit] of units.slice(2)) {
    const count = Math.floor(rest / unit);
    if (count > 0) text += `${count}${name}`;
    rest -= count * unit;
  }
  return text;
}

/** A share as "99.9%" in parts of 1, both it and what is missing to 1 without the error of a subtraction; undefined if it is none. */
export function parseShare(text: string): { readonly share: number; readonly rest: number } | undefined {
  const match = /^(\d{1,3})(?:\.(\d{1,9}))?%$/.exec(text);
  if (!match) return undefined;
  const [, whole = "", fraction = ""] = match;
  const all = 10 ** (fraction.length + 2);
  const part = Number(whole + fraction);
  return part > all ? undefined : { share: part / all, rest: (all - part) / all };
}

/** All that is wrong with a spec, beyond what its type says. */
export function objectiveMistakes(spec: ServiceLevelObjectiveSpec, path = "spec"): FieldError[] {
  const mistakes: FieldError[] = [];
  const { service, target, window, indicator, alerting, runbook, labels } = spec;
  if (!service) mistakes.push(required(`${path}.service`));
  const share = parseShare(target ?? "");
  if (!target) mistakes.push(required(`${path}.target`));
  else if (!share || share.share === 0 || share.rest === 0)
    mistakes.push(invalidValue(`${path}.target`, target, 'must be a share above 0% and below 100%, such as "99.9%"'));
  if (window !== undefined) {
    const period = parsePeriod(window);
    if (period === undefined || period < shortestWindow || period > longestWindow)
      mistakes.push(invalidValue(`${path}.window`, window, 'must be a period from "5m" to "90d"'));
  }
  if (runbook !== undefined && !URL.canParse(runbook))
    mistakes.push(invalidValue(`${path}.runbook`, runbook, "must be a URL"));
  for (const name of Object.keys(labels ?? {}))
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name))
      mistakes.push(invalidValue(`${path}.labels`, name, "must be the name of a label of Prometheus"));
  mistakes.push(...indicatorMistakes(indicator ?? {}, `${path}.indicator`));
  alerting?.policies?.forEach((policy, i) => {
    mistakes.push(...policyMistakes(policy, `${path}.alerting.policies[${i}]`));
  });
  const { minimumBad } = alerting ?? {};
  if (minimumBad !== undefined && !(minimumBad >= 1))
    mistakes.push(invalidValue(`${path}.alerting.minimumBad`, minimumBad, "must be at least 1"));
  if (minimumBad !== undefined && indicator?.events === undefined)
    mistakes.push(
      required(
        `${path}.indicator.events`,
        "`alerting.minimumBad` needs to know how many events there were in a window",
      ),
    );
  mistakes.push(...receiversMistakes(alerting?.notify ?? [], `${path}.alerting.notify`));
  if (alerting?.repeat !== undefined && !((parsePeriod(alerting.repeat) ?? 0) >= 60_000))
    mistakes.push(invalidValue(`${path}.alerting.repeat`, alerting.repeat, 'must be a period of at least "1m"'));
  return mistakes;
}

function indicatorMistakes(indicator: ObjectiveIndicator, path: string): FieldError[] {
  const { errorRatio, good, bad, total, events } = indicator;
  const mistakes = Object.entries({ errorRatio, good, bad, total, events }).flatMap(([name, query]) =>
    query === undefined || query.includes(windowVariable)
      ? []
      : [invalidValue(`${path}.${name}`, query, `must hold ${windowVariable} in place of its range`)],
  );
  if (errorRatio !== undefined) {
    for (const [name, query] of Object.entries({ good, bad, total }))
      if (query !== undefined)
        mistakes.push(forbiddenField(`${path}.${name}`, "may not be specified beside `errorRatio`"));
  } else if (total === undefined)
    mistakes.push(required(`${path}.total`, "specify `errorRatio`, or `total` with one of `good` and `bad`"));
  else if (good === undefined && bad === undefined)
    mistakes.push(required(`${path}.good`, "specify one of `good` and `bad` beside `total`"));
  else if (good !== undefined && bad !== undefined)
    mistakes.push(forbiddenField(`${path}.bad`, "may not be specified beside `good`"));
  return mistakes;
}

function policyMistakes({ severity, long, short, factor, budget, for: held }: BurnRatePolicy, path: string) {
  const mistakes: FieldError[] = [];
  const period = (name: string, text: string | undefined, least = 1000) => {
    if (text !== undefined && !((parsePeriod(text) ?? -1) >= least))
      mistakes.push(invalidValue(`${path}.${name}`, text, 'must be a period, such as "1h"'));
  };
  if (!/^[a-zA-Z][\w-]*$/.test(severity ?? ""))
    mistakes.push(invalidValue(`${path}.severity`, severity ?? "", 'must be a word, such as "page"'));
  if (!long) mistakes.push(required(`${path}.long`));
  period("long", long);
  period("short", short);
  period("for", held, 0);
  if (short !== undefined && (parsePeriod(short) ?? 0) > (parsePeriod(long ?? "") ?? 0))
    mistakes.push(invalidValue(`${path}.short`, short, "must not be longer than `long`"));
  if ((factor === undefined) === (budget === undefined))
    mistakes.push(required(`${path}.factor`, "specify one of `factor` and `budget`"));
  if (factor !== undefined && !(factor > 0))
    mistakes.push(invalidValue(`${path}.factor`, factor, "must be greater than 0"));
  if (budget !== undefined && !parseShare(budget)?.share)
    mistakes.push(invalidValue(`${path}.budget`, budget, 'must be a share above 0%, such as "2%"'));
  return mistakes;
}

/** The name by which a receiver is known among those of its objective. */
export const receiverName = ({ name, webhook, alertmanager }: ObjectiveReceiver): string =>
  name ?? (webhook ? "webhook" : alertmanager ? "alertmanager" : "slack");

function receiversMistakes(receivers: readonly ObjectiveReceiver[], path: string): FieldError[] {
  const seen = new Set<string>();
  return receivers.flatMap((receiver, i) => {
    const at = `${path}[${i}]`;
    const { webhook, alertmanager, slack } = receiver;
    const stated = Object.entries({ webhook, alertmanager, slack }).filter(([, address]) => address !== undefined);
    const mistakes: FieldError[] = [];
    if (stated.length !== 1)
      mistakes.push(required(`${at}.webhook`, "specify exactly one of `webhook`, `alertmanager` and `slack`"));
    for (const [kind, address] of stated) mistakes.push(...addressMistakes(address ?? {}, `${at}.${kind}`));
    const name = receiverName(receiver);
    if (seen.has(name)) mistakes.push(invalidValue(`${at}.name`, name, "must be unique"));
    seen.add(name);
    return mistakes;
  });
}

function addressMistakes({ url, secret, key }: ObjectiveAddress, path: string): FieldError[] {
  if (url !== undefined) {
    if (secret !== undefined || key !== undefined)
      return [forbiddenField(`${path}.secret`, "may not be specified beside `url`")];
    const known = URL.canParse(url) ? new URL(url).protocol : "";
    // The value may be a secret that was put into the wrong place.
    return known === "http:" || known === "https:"
      ? []
      : [forbiddenField(`${path}.url`, "must be an http or https URL")];
  }
  if (!secret) return [required(`${path}.secret`, "specify `url`, or `secret` and `key`")];
  return key ? [] : [required(`${path}.key`)];
}
