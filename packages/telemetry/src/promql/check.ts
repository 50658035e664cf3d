/** Whether the parts of a query go together. Source: prometheus 2.42 promql/parser/parse.go, checkAST. */
import type { Matcher } from "../metrics/series.ts";
import {
  type Aggregation,
  type Binary,
  type Call,
  children,
  type Expr,
  isComparison,
  isSetOperator,
  typeOf,
  type ValueType,
  type VectorSelector,
} from "./ast.ts";
import { type Place, parseError } from "./failure.ts";
import { quoted } from "./quote.ts";
import { parseRegexp } from "./regexp/regexp.ts";

const documented: Readonly<Record<ValueType, string>> = {
  matrix: "range vector",
  scalar: "scalar",
  string: "string",
  vector: "instant vector",
};

/** Throws the first mistake, as a `QueryError`. */
export function check(expr: Expr, query: string): void {
  const fail = (place: Place, message: string): never => {
    throw parseError(query, place, message);
  };
  const expectType = (part: Expr, wanted: ValueType, context: string): void => {
    look(part);
    const type = typeOf(part);
    if (type !== wanted) fail(part.place, `expected type ${documented[wanted]} in ${context}, got ${documented[type]}`);
  };

  const look = (expr: Expr): void => {
    switch (expr.kind) {
      case "aggregation":
        aggregation(expr);
        break;
      case "binary":
        binary(expr);
        break;
      case "call":
        call(expr);
        break;
      case "unary": {
        look(expr.expr);
        const type = typeOf(expr.expr);
        if (type !== "scalar" && type !== "vector")
          fail(
            expr.place,
            `unary expression only allowed on expressions of type scalar or instant vector, got ${quoted(documented[type])}`,
          );
        break;
      }
      case "subquery": {
        look(expr.expr);
        const type = typeOf(expr.expr);
        if (type !== "vector") fail(expr.place, `subquery is only allowed on instant vector, got ${type} instead`);
        break;
      }
      case "vector":
        selector(expr);
        break;
      default:
        children(expr).forEach(look);
    }
  };

  const aggregation = ({ operator, expr, parameter }: Aggregation): void => {
    expectType(expr, "vector", "aggregation expression");
    if (parameter) expectType(parameter, operator === "count_values" ? "string" : "scalar", "aggregation parameter");
  };

  const binary = (expr: Binary): void => {
    const { left, right, operator, operatorPlace, bool, matching } = expr;
    look(left);
    look(right);
    const types = [typeOf(left), typeOf(right)];
    if (bool && !isComparison(operator)) fail(operatorPlace, "bool modifier can only be used on comparison operators");
    if (isComparison(operator) && !bool && types.every((type) => type === "scalar"))
      fail(operatorPlace, "comparisons between scalars must use BOOL modifier");
    const both = matching.on ? matching.labels.find((label) => matching.include.includes(label)) : undefined;
    if (both !== undefined) fail(operatorPlace, `label ${quoted(both)} must not occur in ON and GROUP clause at once`);
    for (const [index, part] of [left, right].entries())
      if (types[index] !== "scalar" && types[index] !== "vector")
        fail(part.place, "binary expression must contain only scalar and instant vector types");
    if (types.includes("scalar")) {
      if (matching.labels.length > 0) fail(expr.place, "vector matching only allowed between instant vectors");
      if (isSetOperator(operator))
        fail(expr.place, `set operator ${quoted(operator)} not allowed in binary scalar expression`);
    } else if (isSetOperator(operator) && matching.many !== "both")
      fail(expr.place, `no grouping allowed for ${quoted(operator)} operation`);
  };

  const call = ({ name, signature, args, place }: Call): void => {
    const { args: wanted, variadic } = signature;
    const says = (how: string, count: number) =>
      fail(place, `expected ${how}${count} argument(s) in call to ${quoted(name)}, got ${args.length}`);
    if (variadic === 0) {
      if (wanted.length !== args.length) says("", wanted.length);
    } else if (args.length < wanted.length - 1) says("at least ", wanted.length - 1);
    else if (variadic > 0 && args.length > wanted.length - 1 + variadic) says("at most ", wanted.length - 1 + variadic);
    for (const [index, arg] of args.entries())
      expectType(arg, wanted[Math.min(index, wanted.length - 1)] as ValueType, `call to function ${quoted(name)}`);
  };

  const selector = ({ name, matchers, place }: VectorSelector): void => {
    if (name !== "") {
      const second = matchers.slice(0, -1).find((matcher) => matcher.name === "__name__");
      if (second) fail(place, `metric name must not be set twice: ${quoted(name)} or ${quoted(second.value)}`);
    } else if (matchers.every(matchesEmpty)) fail(place, "vector selector must contain at least one non-empty matcher");
  };

  look(expr);
}

function matchesEmpty({ op, value }: Matcher): boolean {
  switch (op) {
    case "=":
      return value === "";
    case "!=":
      return value !== "";
    case "=~":
      return parseRegexp(value).test("");
    case "!~":
      return !parseRegexp(value).test("");
  }
}
