/** Which parts of a query are the same at every step. Source: prometheus 2.42 promql/engine.go, PreprocessExpr. */
import { children, type Expr } from "./ast.ts";

/** They depend on when they are evaluated, or on times of samples. */
const variant = new Set(
  "days_in_month day_of_month day_of_week day_of_year hour minute month predict_linear time timestamp year".split(" "),
);

export function isInvariant(expr: Expr): boolean {
  switch (expr.kind) {
    case "number":
    case "string":
      return true;
    case "vector":
    case "subquery":
      return expr.at !== undefined;
    case "matrix":
      return expr.selector.at !== undefined;
    case "call":
      return !variant.has(expr.name) && expr.args.every(isInvariant);
    case "aggregation":
      return isInvariant(expr.expr) && (expr.parameter === undefined || isInvariant(expr.parameter));
    default:
      return children(expr).every(isInvariant);
  }
}
