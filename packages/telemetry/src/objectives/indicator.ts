/** The queries of an indicator for one window, each apart and as one expression. */
import { formatPeriod, type ObjectiveIndicator, windowVariable } from "@flotilla/objects";

/** `query` with its range filled in. */
export const inWindow = (query: string, window: number): string =>
  query.replaceAll(windowVariable, formatPeriod(window));

/**
 * The share of errors as one expression, for rules. A side that has no series counts as 0 as long as there is a total, so that
 * "no errors yet" is not "no data".
 */
export function errorRatioExpression(indicator: ObjectiveIndicator, window: number): string {
  const { errorRatio, good, bad, total } = indicator;
  if (errorRatio !== undefined) return inWindow(errorRatio, window);
  const all = inWindow(total ?? "", window);
  const counted = inWindow(good ?? bad ?? "", window);
  const share = `((${counted}) or 0 * (${all})) / (${all})`;
  return good === undefined ? share : `1 - ${share}`;
}
