/**
 * Label selectors: the text of `kubectl -l`, the LabelSelector of objects, and what they match.
 *
 * Source of grammar and messages: apimachinery pkg/labels.
 */
import { type FieldError, invalidValue } from "./field-errors.ts";
import type { LabelSelector } from "./generated/types.ts";
import { scanSelector, type Token } from "./label-tokens.ts";
import { labelValue, qualifiedName } from "./names.ts";
import { badRequest } from "./status-error.ts";

export type Labels = Readonly<Record<string, string>>;

export type LabelOperator = "in" | "notin" | "=" | "==" | "!=" | "exists" | "!" | ">" | "<";

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** Sorted, without repeats. */
  readonly values: readonly string[];
}

/** All requirements must hold, so an empty list matches everything; undefined matches nothing. */
export type LabelRequirements = readonly LabelRequirement[];

const operators = ["in", "notin", "=", "==", "!=", ">", "<"] as const;
const binaryOperators = "=, !=, in, notin, ==, >, <";

/** A label selector's text, sorted by key. Throws a BadRequest with Kubernetes' message. */
export function parseLabelSelector(text: string): LabelRequirements {
  const tokens = scanSelector(text);
  const requirements: LabelRequirement[] = [];
  let position = 0;
  const look = (): Token => tokens[position] ?? { kind: "end", text: "" };
  const take = (): Token => {
    const token = look();
    position++;
    return token;
  };

  for (;;) {
    const token = look();
    if (token.kind === "end") break;
    if (!isWord(token) && token.kind !== "!") {
      throw badRequest(`found '${token.text}', expected: !, identifier, or 'end of string'`);
    }
    requirements.push(parseRequirement(look, take));
    const after = take();
    if (after.kind === "end") break;
    if (after.kind !== ",") throw badRequest(`found '${after.text}', expected: ',' or 'end of string'`);
    const next = look();
    if (!isWord(next) && next.kind !== "!") throw badRequest(`found '${next.text}', expected: identifier after ','`);
  }
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** "in" and "notin" are words too, except where an operator is expected. */
const isWord = (token: Token): boolean => token.kind === "word" || token.kind === "in" || token.kind === "notin";

const unable = (message: string): Error => badRequest(`unable to parse requirement: ${message}`);

function parseRequirement(look: () => Token, take: () => Token): LabelRequirement {
  let token = take();
  const negated = token.kind === "!";
  if (negated) token = take();
  if (!isWord(token)) throw unable(`found '${token.text}', expected: identifier`);
  const key = token.text;
  const wrongKey = qualifiedName(key);
  if (wrongKey.length > 0) throw unable(said(invalidValue("<nil>", key, wrongKey.join("; "))));
  if (negated) return { key, operator: "!", values: [] };
  const next = look().kind;
  if (next === "end" || next === ",") return { key, operator: "exists", values: [] };

  const operator = take();
  const known = operators.find((each) => each === operator.kind);
  if (!known) throw unable(`found '${operator.text}', expected: ${binaryOperators}`);
  const values = known === "in" || known === "notin" ? parseValues(look, take) : [parseExactValue(look, take)];
  const requirement = { key, operator: known, values: [...new Set(values)].sort() };
  const wrong = mistakesOf(requirement);
  if (wrong.length > 0) throw unable(wrong.length > 1 ? `[${wrong.map(said).join(", ")}]` : wrong.map(said).join());
  return requirement;
}

const said = (mistake: FieldError): string => `${mistake.field}: ${mistake.message}`;

function parseExactValue(look: () => Token, take: () => Token): string {
  if (look().kind === "end" || look().kind === ",") return "";
  const token = take();
  if (!isWord(token)) throw unable(`found '${token.text}', expected: identifier`);
  return token.text;
}

/** "(a,b)"; an empty item is the empty value. */
function parseValues(look: () => Token, take: () => Token): string[] {
  const open = take();
  if (open.kind !== "(") throw unable(`found '${open.text}' expected: '('`);
  const values: string[] = [];
  let value = "";
  for (;;) {
    const token = take();
    if (isWord(token)) {
      value = token.text;
      const after = look();
      if (after.kind !== "," && after.kind !== ")") throw unable(`found '${after.text}', expected: ',' or ')'`);
    } else if (token.kind === ",") {
      values.push(value);
      value = "";
    } else if (token.kind === ")") {
      values.push(value);
      return values;
    } else {
      const expected = values.length === 0 ? "',', ')' or identifier" : "',', or identifier";
      throw unable(`found '${token.text}', expected: ${expected}`);
    }
  }
}

function mistakesOf({ key, operator, values }: LabelRequirement): FieldError[] {
  const mistakes: FieldError[] = [];
  for (const [index, value] of values.entries()) {
    if ((operator === ">" || operator === "<") && !/^[+-]?\d+$/.test(value)) {
      const why = "for 'Gt', 'Lt' operators, the value must be an integer";
      mistakes.push(invalidValue(`values[${index}]`, value, why));
    }
    const wrong = labelValue(value);
    if (wrong.length > 0) mistakes.push(invalidValue(`values[${index}][${key}]`, value, wrong.join("; ")));
  }
  return mistakes;
}

/** The requirements as text; parsing it gives the same requirements. */
export function formatLabelSelector(requirements: LabelRequirements): string {
  return requirements
    .map(({ key, operator, values }) => {
      switch (operator) {
        case "exists":
          return key;
        case "!":
          return `!${key}`;
        case "in":
        case "notin":
          return `${key} ${operator} (${values.join(",")})`;
        default:
          return `${key}${operator}${values.join(",")}`;
      }
    })
    .join(",");
}

const operatorsOfExpressions: Readonly<Record<string, LabelOperator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

/** An object's LabelSelector as requirements. An absent one selects nothing (undefined), an empty one everything. */
export function requirementsOf(selector: LabelSelector | undefined): LabelRequirements | undefined {
  if (!selector) return undefined;
  const requirements: LabelRequirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: "=",
    values: [value],
  }));
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = operatorsOfExpressions[operator];
    if (!known) throw badRequest(`${JSON.stringify(operator)} is not a valid label selector operator`);
    requirements.push({ key, operator: known, values: [...new Set(values ?? [])].sort() });
  }
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** Whether labels fulfil all requirements; undefined requirements (no selector) match nothing. */
export function matchesRequirements(requirements: LabelRequirements | undefined, labels: Labels | undefined): boolean {
  if (!requirements) return false;
  for (const requirement of requirements) if (!fulfils(requirement, labels ?? {})) return false;
  return true;
}

/** Whether an object's LabelSelector matches labels. Where one selector meets many objects, keep its `requirementsOf`. */
export const matchesSelector = (selector: LabelSelector | undefined, labels: Labels | undefined): boolean =>
  matchesRequirements(requirementsOf(selector), labels);

/** Whether `labels` has every entry of `wanted`: the selectors of Services and node selectors. */
export function hasLabels(labels: Labels | undefined, wanted: Labels): boolean {
  for (const key in wanted) if (labels?.[key] !== wanted[key]) return false;
  return true;
}

function fulfils({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case "in":
    case "=":
    case "==":
      return value !== undefined && values.includes(value);
    case "notin":
    case "!=":
      return value === undefined || !values.includes(value);
    case ">":
    case "<": {
      if (value === undefined || !/^[+-]?\d+$/.test(value)) return false;
      const [limit] = values;
      if (limit === undefined) return false;
      return operator === ">" ? BigInt(value) > BigInt(limit) : BigInt(value) < BigInt(limit);
    }
  }
}
