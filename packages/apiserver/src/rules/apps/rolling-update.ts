/** How much may change at once. Source: kubernetes pkg/apis/apps/validation */
import { type FieldError, invalidValue, required } from "@flotilla/objects";
import { atMostAll, countOrPercent } from "../mistakes.ts";

interface RollingUpdate {
  maxUnavailable?: number | string;
  maxSurge?: number | string;
}

/** As Kubernetes reads it here: a percentage without its sign, text that is neither as 0. */
const amountOf = (value: number | string | undefined): number =>
  typeof value === "string" ? Number(/^(\d+)%$/.exec(value)?.[1] ?? 0) : (value ?? 0);

const each = (path: string, { maxUnavailable, maxSurge }: RollingUpdate, limitSurge: boolean): FieldError[] => [
  ...countOrPercent(`${path}.maxUnavailable`, maxUnavailable),
  ...countOrPercent(`${path}.maxSurge`, maxSurge),
  ...atMostAll(`${path}.maxUnavailable`, maxUnavailable),
  ...(limitSurge ? atMostAll(`${path}.maxSurge`, maxSurge) : []),
];

export function deploymentUpdateMistakes(path: string, update: RollingUpdate): FieldError[] {
  const mistakes = each(path, update, false);
  if (amountOf(update.maxUnavailable) === 0 && amountOf(update.maxSurge) === 0)
    mistakes.push(
      invalidValue(`${path}.maxUnavailable`, update.maxUnavailable ?? 0, "may not be 0 when `maxSurge` is 0"),
    );
  return mistakes;
}

export function daemonSetUpdateMistakes(path: string, update: RollingUpdate): FieldError[] {
  const mistakes = each(path, update, true);
  const [unavailable, surge] = [amountOf(update.maxUnavailable) !== 0, amountOf(update.maxSurge) !== 0];
  if (unavailable && surge)
    mistakes.push(
      invalidValue(`${path}.maxSurge`, update.maxSurge ?? 0, "may not be set when maxUnavailable is non-zero"),
    );
  if (!unavailable && !surge) mistakes.push(required(`${path}.maxUnavailable`, "cannot be 0 when maxSurge is 0"));
  return mistakes;
}
