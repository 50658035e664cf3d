/** label_replace and label_join. Source: prometheus 2.42 promql/functions.go. */
import { ExecutionError } from "../failure.ts";
import { isLabelName, type LabelSet } from "../label-set.ts";
import { parseRegexp, RegexpError } from "../regexp/regexp.ts";
import { joined, relabelled, type Series } from "../value.ts";

export function labelReplace(
  series: readonly Series[],
  [target, replacement, from, expression]: readonly [string, string, string, string],
): Series[] {
  const regexp = compiled(expression);
  if (!isLabelName(target)) throw new ExecutionError(`invalid destination label name in label_replace(): ${target}`);
  return relabel(series, (labels) => {
    const text = regexp.expand(labels.get(from), replacement);
    return text === undefined ? labels : labels.with(target, text);
  });
}

function compiled(expression: string): ReturnType<typeof parseRegexp> {
  try {
    return parseRegexp(expression);
  } catch (error) {
    if (!(error instanceof RegexpError)) throw error;
    throw new ExecutionError(`invalid regular expression in label_replace(): ${expression}`);
  }
}

export function labelJoin(
  series: readonly Series[],
  target: string,
  separator: string,
  sources: readonly string[],
): Series[] {
  const wrong = sources.find((source) => !isLabelName(source));
  if (wrong !== undefined) throw new ExecutionError(`invalid source label name in label_join(): ${wrong}`);
  if (!isLabelName(target)) throw new ExecutionError(`invalid destination label name in label_join(): ${target}`);
  return relabel(series, (labels) => labels.with(target, sources.map((source) => labels.get(source)).join(separator)));
}

const relabel = (series: readonly Series[], change: (labels: LabelSet) => LabelSet): Series[] =>
  joined(series.map((one) => relabelled(one, change(one.labels))));
