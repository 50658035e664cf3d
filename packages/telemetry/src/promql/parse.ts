/**
 * PromQL's text to its tree. Grammar, precedence and the words of errors follow Prometheus' parser; only the first mistake is told,
 * as there. (The grammar on npm, @prometheus-io/lezer-promql, is an editor's: it no longer knows holt_winters, takes any unknown
 * function for a syntax error, and lets through unterminated strings. The tests hold this parser against it.)
 *
 * Source: prometheus 2.42 promql/parser/generated_parser.y.
 */
import type { Matcher } from "../metrics/series.ts";
import { QueryError } from "../telemetry.ts";
import type {
  Aggregation,
  AggregationOperator,
  AtModifier,
  BinaryOperator,
  Expr,
  Matching,
  VectorSelector,
} from "./ast.ts";
import { hasParameter, isSetOperator } from "./ast.ts";
import { check } from "./check.ts";
import { parseDuration } from "./duration.ts";
import { type Place, parseError } from "./failure.ts";
import { parseNumber } from "./number.ts";
import { quoted, unquote } from "./quote.ts";
import { parseRegexp, RegexpError } from "./regexp/regexp.ts";
import { describe, scan, type Token } from "./scan.ts";
import { experimental, signatures } from "./signatures.ts";

/** Longer texts and deeper trees are refused: they come from no user, and evaluation recurses. */
const longestQuery = 256 * 1024;
const deepest = 200;

/** The tree of a query, its types checked. A mistake is a `QueryError` with its place. */
export function parseQuery(query: string): Expr {
  const parser = new Parser(query);
  const expr = parser.whole();
  check(expr, query);
  return expr;
}

/** `name{label="value"}` alone, as the API's match[] takes it; it may be one that matches everything. */
export const parseSelector = (query: string): readonly Matcher[] => new Parser(query).selectorAlone().matchers;

const precedence: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  "==": 3,
  "!=": 3,
  ">": 3,
  "<": 3,
  ">=": 3,
  "<=": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  atan2: 5,
  "^": 6,
};
const ofPower = 6;

/** Words that are also names of metrics. */
const metricWords = new Set(["and", "or", "unless", "by", "offset", "without", "start", "end"]);

class Parser {
  readonly #query: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  /** Aggregations whose arguments are being read: what is unexpected there is said to be so "in aggregation". */
  #aggregations = 0;

  constructor(query: string) {
    if (query.length > longestQuery)
      throw new QueryError(`1:1: parse error: query is longer than ${longestQuery} characters`, 0, query.length);
    this.#query = query;
    this.#tokens = scan(query);
  }

  whole(): Expr {
    if (this.#peek().kind === "end of input") this.#fail({ start: 0, end: 0 }, "no expression found in input");
    const expr = this.#expression(0);
    if (this.#peek().kind !== "end of input") this.#unexpected();
    return expr;
  }

  selectorAlone(): VectorSelector {
    const selector = this.#isMetric(this.#peek()) || this.#peek().word === "{" ? this.#selector() : this.#unexpected();
    if (this.#peek().kind !== "end of input") this.#unexpected();
    return selector;
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#at, this.#tokens.length - 1)] as Token;
  }

  /** Where what was read last ends. */
  get #end(): number {
    return this.#tokens[this.#at - 1]?.end ?? 0;
  }

  #take(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #is(word: string): boolean {
    const { kind } = this.#peek();
    return this.#peek().word === word && kind !== "string" && kind !== "error" && kind !== "identifier";
  }

  #eat(word: string): boolean {
    if (!this.#is(word)) return false;
    this.#at++;
    return true;
  }

  #fail(place: Place, message: string): never {
    throw parseError(this.#query, place, message);
  }

  #unexpected(context = this.#aggregations > 0 ? "aggregation" : "", expected = ""): never {
    const token = this.#peek();
    if (token.kind === "error") this.#fail(token, token.text);
    const within = context && ` in ${context}`;
    const instead = expected && `, expected ${expected}`;
    return this.#fail(token, `unexpected ${describe(token)}${within}${instead}`);
  }

  #expression(least: number): Expr {
    if (++this.#depth > deepest) this.#fail(this.#peek(), `expression is nested more than ${deepest} levels deep`);
    let left = this.#postfix(this.#operand());
    for (let chain = 0; ; chain++) {
      const token = this.#peek();
      const rank = token.kind === "operator" ? precedence[token.word] : undefined;
      if (rank === undefined || rank < least || rank === 0) break;
      // Chains lean to the left, so their length is the tree's depth.
      if (chain > deepest * 10) this.#fail(token, `more than ${deepest * 10} operators in a row`);
      left = this.#binary(left, rank);
    }
    this.#depth--;
    return left;
  }

  #binary(left: Expr, rank: number): Expr {
    const operator = this.#take();
    const bool = this.#eat("bool");
    const matching = this.#matching(operator.word as BinaryOperator);
    // Only powers associate to the right.
    const right = this.#expression(rank === ofPower ? rank : rank + 1);
    return {
      kind: "binary",
      place: { start: left.place.start, end: right.place.end },
      operator: operator.word as BinaryOperator,
      operatorPlace: { start: operator.start, end: operator.end },
      left,
      right,
      bool,
      matching,
    };
  }

  #matching(operator: BinaryOperator): Matching {
    const none = isSetOperator(operator) ? "both" : "none";
    const on = this.#is("on");
    if (!on && !this.#is("ignoring")) return { on: false, labels: [], many: none, include: [] };
    this.#take();
    const labels = this.#labels();
    const many = this.#eat("group_left") ? "left" : this.#eat("group_right") ? "right" : none;
    const include = many !== none && !this.#startsOperand() ? this.#labels() : [];
    return { on, labels, many, include };
  }

  /** A parenthesis here is that of labels. */
  #startsOperand(): boolean {
    const token = this.#peek();
    return (
      token.kind === "number" ||
      token.kind === "string" ||
      ["{", "+", "-"].includes(token.word) ||
      this.#isMetric(token)
    );
  }

  #labels(): string[] {
    if (!this.#eat("(")) this.#unexpected("grouping opts", '"("');
    const labels: string[] = [];
    while (!this.#eat(")")) {
      const { kind, text } = this.#peek();
      const isWord = ["identifier", "aggregator", "keyword", "preprocessor"].includes(kind);
      const isOperator = kind === "operator" && /^[a-z]/i.test(text);
      if (!isWord && !isOperator) this.#unexpected("grouping opts", "label");
      labels.push(this.#take().text);
      if (!this.#is(")") && !this.#eat(",")) this.#unexpected("grouping opts", '"," or ")"');
    }
    return labels;
  }

  #operand(): Expr {
    const token = this.#peek();
    switch (token.kind) {
      case "number": {
        this.#take();
        return { kind: "number", place: placeOf(token), value: this.#number(token) };
      }
      case "string": {
        this.#take();
        return { kind: "string", place: placeOf(token), value: unquote(token.text) };
      }
      case "aggregator":
        return this.#aggregationOrMetric();
      case "operator":
        if (token.word === "-" || token.word === "+") return this.#unary();
        break;
      case "punctuation":
        if (token.word === "(") return this.#parentheses();
        if (token.word === "{") return this.#selector();
        break;
      case "identifier":
        if (this.#tokens[this.#at + 1]?.word === "(") return this.#call();
        break;
    }
    return this.#isMetric(token) ? this.#selector() : this.#unexpected();
  }

  #number(token: Token): number {
    const value = parseNumber(token.text);
    if (value !== undefined) return value;
    const reason = `strconv.ParseFloat: parsing ${quoted(token.text)}: invalid syntax`;
    return this.#fail(token, `error parsing number: ${reason}`);
  }

  /** Binds as multiplication does, so that -1 ^ 2 is -1. */
  #unary(): Expr {
    const { word, start } = this.#take();
    const expr = this.#expression(ofPower);
    const place = { start, end: expr.place.end };
    if (expr.kind === "number") return { kind: "number", place, value: word === "-" ? -expr.value : expr.value };
    return { kind: "unary", place, operator: word as "+" | "-", expr };
  }

  #parentheses(): Expr {
    const { start } = this.#take();
    const expr = this.#expression(0);
    if (!this.#eat(")")) this.#unexpected();
    return { kind: "parentheses", place: { start, end: this.#end }, expr };
  }

  #isMetric({ kind, word }: Token): boolean {
    return kind === "identifier" || kind === "metric identifier" || kind === "aggregator" || metricWords.has(word);
  }

  #selector(): VectorSelector {
    const { start } = this.#peek();
    const name = this.#is("{") ? "" : this.#take().text;
    const matchers = this.#is("{") ? this.#matchers() : [];
    if (name !== "") matchers.push({ name: "__name__", op: "=", value: name });
    return { kind: "vector", place: { start, end: this.#end }, name, matchers, offset: 0, at: undefined };
  }

  #matchers(): Matcher[] {
    this.#take();
    const matchers: Matcher[] = [];
    while (!this.#eat("}")) {
      const label = this.#peek();
      if (label.kind !== "identifier") this.#unexpected("label matching", 'identifier or "}"');
      this.#take();
      const op = this.#peek().word;
      if (op !== "=" && op !== "!=" && op !== "=~" && op !== "!~")
        return this.#unexpected("label matching", "label matching operator");
      this.#take();
      const literal = this.#peek();
      if (literal.kind !== "string") this.#unexpected("label matching", "string");
      this.#take();
      const value = unquote(literal.text);
      if (op === "=~" || op === "!~") this.#checkRegexp(value, { start: label.start, end: literal.end });
      matchers.push({ name: label.text, op, value });
      if (!this.#is("}") && !this.#eat(",")) this.#unexpected("label matching", '"," or "}"');
    }
    return matchers;
  }

  #checkRegexp(source: string, place: Place): void {
    try {
      parseRegexp(source);
    } catch (error) {
      if (!(error instanceof RegexpError)) throw error;
      this.#fail(place, error.message);
    }
  }

  #call(): Expr {
    const { text: name, start, end } = this.#take();
    const signature = signatures.get(name);
    if (!signature && experimental.has(name))
      this.#fail({ start, end }, `function ${quoted(name)} is experimental in Prometheus and not supported`);
    const args = this.#arguments();
    if (!signature) return this.#fail({ start, end }, `unknown function with name ${quoted(name)}`);
    return { kind: "call", place: { start, end: this.#end }, name, signature, args };
  }

  #arguments(): Expr[] {
    if (!this.#eat("(")) this.#unexpected();
    const args: Expr[] = [];
    while (!this.#eat(")")) {
      args.push(this.#expression(0));
      const comma = this.#peek();
      if (this.#eat(",")) {
        if (this.#is(")")) this.#fail(comma, "trailing commas not allowed in function call args");
      } else if (!this.#is(")")) this.#unexpected();
    }
    return args;
  }

  #aggregationOrMetric(): Expr {
    const operator = this.#peek();
    const following = this.#tokens[this.#at + 1] as Token;
    const isAggregation =
      following.word === "(" ||
      following.word === "by" ||
      following.word === "without" ||
      !["end of input", "operator", "punctuation", "keyword"].includes(following.kind);
    if (!isAggregation) return this.#selector();
    this.#take();
    let modifier = this.#modifier();
    this.#aggregations++;
    if (!this.#is("(")) this.#unexpected("aggregation");
    const args = this.#arguments();
    this.#aggregations--;
    modifier ??= this.#modifier();
    return this.#aggregation(operator, args, modifier ?? { grouping: [], without: false });
  }

  #modifier(): { grouping: string[]; without: boolean } | undefined {
    const without = this.#is("without");
    if (!without && !this.#is("by")) return undefined;
    this.#take();
    return { grouping: this.#labels(), without };
  }

  #aggregation(token: Token, args: Expr[], modifier: { grouping: string[]; without: boolean }): Aggregation {
    const place = { start: token.start, end: this.#end };
    const operator = token.word as AggregationOperator;
    if (args.length === 0) this.#fail(place, "no arguments for aggregate expression provided");
    const wanted = hasParameter(operator) ? 2 : 1;
    if (args.length !== wanted)
      this.#fail(
        place,
        `wrong number of arguments for aggregate expression provided, expected ${wanted}, got ${args.length}`,
      );
    const expr = args[wanted - 1] as Expr;
    return { kind: "aggregation", place, operator, expr, parameter: wanted === 2 ? args[0] : undefined, ...modifier };
  }

  /** Ranges, subqueries, offset and @, in any order. */
  #postfix(operand: Expr): Expr {
    let expr = operand;
    for (;;) {
      if (this.#is("[")) expr = this.#range(expr);
      else if (this.#peek().kind === "keyword" && this.#is("offset")) expr = this.#offset(expr);
      else if (this.#is("@")) expr = this.#atModifier(expr);
      else return expr;
    }
  }

  #range(expr: Expr): Expr {
    const bracket = this.#take();
    if (this.#peek().kind !== "duration") this.#unexpected("subquery selector", "duration");
    const range = this.#duration();
    if (this.#peek().kind === "colon") {
      this.#take();
      const step = this.#peek().kind === "duration" ? this.#duration() : 0;
      if (!this.#eat("]")) this.#unexpected("subquery selector", step === 0 ? 'duration or "]"' : '"]"');
      const place = { start: expr.place.start, end: this.#end };
      return { kind: "subquery", place, expr, range, step, offset: 0, at: undefined };
    }
    if (!this.#eat("]")) this.#unexpected("subquery or range", '":" or "]"');
    const wrong =
      expr.kind !== "vector"
        ? "ranges only allowed for vector selectors"
        : expr.offset !== 0
          ? "no offset modifiers allowed before range"
          : expr.at !== undefined
            ? "no @ modifiers allowed before range"
            : undefined;
    if (wrong || expr.kind !== "vector") return this.#fail({ start: bracket.start, end: this.#end }, wrong as string);
    return { kind: "matrix", place: { start: expr.place.start, end: this.#end }, selector: expr, range };
  }

  #duration(): number {
    const token = this.#take();
    const length = parseDuration(token.text);
    if (typeof length === "string") return this.#fail(token, length);
    if (length === 0) this.#fail(token, "duration must be greater than 0");
    return length;
  }

  #offset(expr: Expr): Expr {
    this.#take();
    const negative = this.#eat("-");
    if (this.#peek().kind !== "duration") this.#unexpected("offset", "duration");
    const offset = this.#duration() * (negative ? -1 : 1);
    const known = modifiersOf(expr);
    if (!known)
      return this.#fail(
        expr.place,
        "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
      );
    if (known.offset !== 0) this.#fail(expr.place, "offset may not be set multiple times");
    return modified(expr, { ...known, offset }, this.#end);
  }

  #atModifier(expr: Expr): Expr {
    this.#take();
    const sign = this.#eat("-") ? -1 : this.#eat("+") ? 1 : 0;
    const token = this.#peek();
    let at: AtModifier;
    if (token.kind === "number") {
      this.#take();
      const seconds = this.#number(token) * (sign || 1);
      if (!(Math.abs(seconds) < 2 ** 63))
        this.#fail(expr.place, `timestamp out of bounds for @ modifier: ${infinite(seconds)}`);
      at = Math.round(seconds * 1000);
    } else if (token.kind === "preprocessor" && sign === 0) {
      this.#take();
      if (!this.#eat("(") || !this.#eat(")")) this.#unexpected("@", "timestamp");
      at = token.word as "start" | "end";
    } else return this.#unexpected("@", "timestamp");
    const known = modifiersOf(expr);
    if (!known)
      return this.#fail(
        expr.place,
        "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
      );
    if (known.at !== undefined) this.#fail(expr.place, "@ <timestamp> may not be set multiple times");
    return modified(expr, { ...known, at }, this.#end);
  }
}

const placeOf = ({ start, end }: Token): Place => ({ start, end });

/** As Go's %f. */
const infinite = (value: number): string =>
  Number.isNaN(value)
    ? "NaN"
    : Number.isFinite(value)
      ? BigInt(value).toString().concat(".000000")
      : value < 0
        ? "-Inf"
        : "+Inf";

interface Modifiers {
  readonly offset: number;
  readonly at: AtModifier | undefined;
}

function modifiersOf(expr: Expr): Modifiers | undefined {
  if (expr.kind === "matrix") return expr.selector;
  return expr.kind === "vector" || expr.kind === "subquery" ? expr : undefined;
}

function modified(expr: Expr, { offset, at }: Modifiers, end: number): Expr {
  const place = { start: expr.place.start, end };
  if (expr.kind === "matrix") return { ...expr, place, selector: { ...expr.selector, offset, at } };
  return { ...expr, place, offset, at } as Expr;
}
