/** PromQL as a tree. */
import type { Matcher } from "../metrics/series.ts";
import type { Place } from "./failure.ts";
import type { Signature } from "./signatures.ts";

export type ValueType = "scalar" | "vector" | "matrix" | "string";

/** Of `start()` and `end()`, or a time in ms since the epoch. */
export type AtModifier = "start" | "end" | number;

export interface NumberLiteral {
  readonly kind: "number";
  readonly place: Place;
  readonly value: number;
}

export interface StringLiteral {
  readonly kind: "string";
  readonly place: Place;
  readonly value: string;
}

/** Times are milliseconds throughout. `name` is what stands before the braces; it is among `matchers`, too. */
export interface VectorSelector {
  readonly kind: "vector";
  readonly place: Place;
  readonly name: string;
  readonly matchers: readonly Matcher[];
  readonly offset: number;
  readonly at: AtModifier | undefined;
}

/** Offset and @ are those of the selector. */
export interface MatrixSelector {
  readonly kind: "matrix";
  readonly place: Place;
  readonly selector: VectorSelector;
  readonly range: number;
}

export interface Subquery {
  readonly kind: "subquery";
  readonly place: Place;
  readonly expr: Expr;
  readonly range: number;
  /** 0: the default. */
  readonly step: number;
  readonly offset: number;
  readonly at: AtModifier | undefined;
}

export interface Parentheses {
  readonly kind: "parentheses";
  readonly place: Place;
  readonly expr: Expr;
}

export interface Unary {
  readonly kind: "unary";
  readonly place: Place;
  readonly operator: "+" | "-";
  readonly expr: Expr;
}

export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%" | "^" | "atan2";
export type ComparisonOperator = "==" | "!=" | ">" | "<" | ">=" | "<=";
export type SetOperator = "and" | "or" | "unless";
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | SetOperator;

export interface Matching {
  /** Labels are those to match on; false: those to ignore. */
  readonly on: boolean;
  readonly labels: readonly string[];
  /** Which side has many for one of the other; of set operators both. */
  readonly many: "none" | "left" | "right" | "both";
  /** Labels taken from the side that has one. */
  readonly include: readonly string[];
}

export interface Binary {
  readonly kind: "binary";
  readonly place: Place;
  readonly operator: BinaryOperator;
  readonly operatorPlace: Place;
  readonly left: Expr;
  readonly right: Expr;
  readonly bool: boolean;
  /** Of two vectors. */
  readonly matching: Matching;
}

export type AggregationOperator =
  | "avg"
  | "bottomk"
  | "count"
  | "count_values"
  | "group"
  | "max"
  | "min"
  | "quantile"
  | "stddev"
  | "stdvar"
  | "sum"
  | "topk";

export interface Aggregation {
  readonly kind: "aggregation";
  readonly place: Place;
  readonly operator: AggregationOperator;
  readonly expr: Expr;
  readonly parameter: Expr | undefined;
  readonly grouping: readonly string[];
  readonly without: boolean;
}

export interface Call {
  readonly kind: "call";
  readonly place: Place;
  readonly name: string;
  readonly signature: Signature;
  readonly args: readonly Expr[];
}

export type Expr =
  | Aggregation
  | Binary
  | Call
  | MatrixSelector
  | NumberLiteral
  | Parentheses
  | StringLiteral
  | Subquery
  | Unary
  | VectorSelector;

export const isComparison = (operator: BinaryOperator): operator is ComparisonOperator =>
  ["==", "!=", ">", "<", ">=", "<="].includes(operator);

export const isSetOperator = (operator: BinaryOperator): operator is SetOperator =>
  operator === "and" || operator === "or" || operator === "unless";

export const hasParameter = (operator: AggregationOperator): boolean =>
  ["topk", "bottomk", "quantile", "count_values"].includes(operator);

export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case "number":
      return "scalar";
    case "string":
      return "string";
    case "vector":
    case "aggregation":
      return "vector";
    case "matrix":
    case "subquery":
      return "matrix";
    case "parentheses":
    case "unary":
      return typeOf(expr.expr);
    case "binary":
      return typeOf(expr.left) === "scalar" && typeOf(expr.right) === "scalar" ? "scalar" : "vector";
    case "call":
      return expr.signature.returns;
  }
}

/** Without the parentheses around it. */
export function bare(expr: Expr): Exclude<Expr, Parentheses> {
  let inner = expr;
  while (inner.kind === "parentheses") inner = inner.expr;
  return inner;
}

export function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "number":
    case "string":
    case "vector":
      return [];
    case "matrix":
      return [expr.selector];
    case "subquery":
    case "parentheses":
    case "unary":
      return [expr.expr];
    case "binary":
      return [expr.left, expr.right];
    case "aggregation":
      return expr.parameter ? [expr.parameter, expr.expr] : [expr.expr];
    case "call":
      return expr.args;
  }
}

/** Every selector in it, from left to right. */
export const selectorsOf = (expr: Expr): VectorSelector[] =>
  expr.kind === "vector" ? [expr] : children(expr).flatMap(selectorsOf);
