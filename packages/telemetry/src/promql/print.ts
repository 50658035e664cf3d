/** Queries as text again. Source: prometheus 2.42 promql/parser/{printer,prettier}.go. */
import type { Matcher } from "../metrics/series.ts";
import { type Aggregation, type AtModifier, type Binary, type Expr, hasParameter } from "./ast.ts";
import { formatDuration } from "./duration.ts";
import { formatShort } from "./number.ts";
import { quoted } from "./quote.ts";

/** On one line. */
export function printQuery(expr: Expr): string {
  switch (expr.kind) {
    case "number":
      return formatShort(expr.value);
    case "string":
      return quoted(expr.value);
    case "vector":
      return selector(expr.name, expr.matchers) + modifiers(expr.at, expr.offset);
    case "matrix": {
      const { name, matchers, at, offset } = expr.selector;
      return `${selector(name, matchers)}[${formatDuration(expr.range)}]${modifiers(at, offset)}`;
    }
    case "subquery":
      return printQuery(expr.expr) + subqueryRange(expr);
    case "parentheses":
      return `(${printQuery(expr.expr)})`;
    case "unary":
      return expr.operator + printQuery(expr.expr);
    case "binary":
      return `${printQuery(expr.left)} ${operatorText(expr)} ${printQuery(expr.right)}`;
    case "aggregation": {
      const args = expr.parameter ? [expr.parameter, expr.expr] : [expr.expr];
      return `${aggregationText(expr)}(${args.map(printQuery).join(", ")})`;
    }
    case "call":
      return `${expr.name}(${expr.args.map(printQuery).join(", ")})`;
  }
}

const widest = 100;

/** On several lines where one would be too long. */
export function formatQuery(expr: Expr, level = 0): string {
  const indent = "  ".repeat(level);
  const line = printQuery(expr);
  if (line.length <= widest) return expr.kind === "subquery" ? line : indent + line;
  switch (expr.kind) {
    case "aggregation": {
      const args = hasParameter(expr.operator) && expr.parameter ? [expr.parameter, expr.expr] : [expr.expr];
      return `${indent}${aggregationText(expr)}(\n${lines(args, level + 1)}\n${indent})`;
    }
    case "binary":
      return `${formatQuery(expr.left, level + 1)}\n${indent}${operatorText(expr)}\n${formatQuery(expr.right, level + 1)}`;
    case "call":
      return `${indent}${expr.name}(\n${lines(expr.args, level + 1)}\n${indent})`;
    case "parentheses":
      return `${indent}(\n${formatQuery(expr.expr, level + 1)}\n${indent})`;
    case "subquery":
      return formatQuery(expr.expr, level) + subqueryRange(expr);
    case "unary":
      return indent + expr.operator + formatQuery(expr.expr, level).trim();
    default:
      return indent + line;
  }
}

const lines = (args: readonly Expr[], level: number): string => args.map((arg) => formatQuery(arg, level)).join(",\n");

const selector = (name: string, matchers: readonly Matcher[]): string => {
  const shown = matchers
    .filter((matcher) => !(matcher.name === "__name__" && matcher.op === "=" && matcher.value === name))
    .map((matcher) => `${matcher.name}${matcher.op}${quoted(matcher.value)}`);
  return shown.length === 0 ? name : `${name}{${shown.sort().join(",")}}`;
};

function modifiers(at: AtModifier | undefined, offset: number): string {
  const moment = at === undefined ? "" : typeof at === "number" ? ` @ ${(at / 1000).toFixed(3)}` : ` @ ${at}()`;
  if (offset === 0) return moment;
  return `${moment} offset ${offset < 0 ? "-" : ""}${formatDuration(Math.abs(offset))}`;
}

const subqueryRange = ({ range, step, at, offset }: Expr & { kind: "subquery" }): string =>
  `[${formatDuration(range)}:${step === 0 ? "" : formatDuration(step)}]${modifiers(at, offset)}`;

function operatorText({ operator, bool, matching }: Binary): string {
  const { on, labels, many, include } = matching;
  let text = operator + (bool ? " bool" : "");
  if (!on && labels.length === 0) return text;
  text += ` ${on ? "on" : "ignoring"} (${labels.join(", ")})`;
  if (many === "left" || many === "right") text += ` group_${many} (${include.join(", ")})`;
  return text;
}

function aggregationText({ operator, without, grouping }: Aggregation): string {
  if (!without && grouping.length === 0) return operator;
  return `${operator} ${without ? "without" : "by"} (${grouping.join(", ")}) `;
}
