/**
 * Field selectors: `status.phase=Running,spec.nodeName!=a`. Which fields a kind can be selected by is the API's business.
 *
 * Source of grammar and messages: apimachinery pkg/fields.
 */
import { badRequest } from "./status-error.ts";

export interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

/** Throws a BadRequest with Kubernetes' message. "=" and "==" are the same; "\\", "," and "=" in values are escaped by "\\". */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return splitTerms(text)
    .sort()
    .filter((term) => term !== "")
    .map((term) => {
      const match = /^(?<field>.*?)(?<operator>!=|==|=)(?<value>.*)$/s.exec(term)?.groups;
      if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      const { field = "", operator, value = "" } = match;
      return { field, operator: operator === "!=" ? "!=" : "=", value: unescaped(value) };
    });
}

export const formatFieldSelector = (requirements: readonly FieldRequirement[]): string =>
  requirements.map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, "\\$&")}`).join(",");

/** `textOf` gives the text of a field, "" where there is none. */
export const matchesFields = (requirements: readonly FieldRequirement[], textOf: (field: string) => string): boolean =>
  requirements.every(({ field, operator, value }) => (textOf(field) === value) === (operator === "="));

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === ",") {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function unescaped(value: string): string {
  return value.replace(/\\(.?)|[,=]/gs, (all, escaped: string | undefined) => {
    if (escaped === undefined) {
      throw badRequest(`invalid field selector: unescaped character in value: ${all.charCodeAt(0)}`);
    }
    if (escaped !== "\\" && escaped !== "," && escaped !== "=") {
      throw badRequest(`invalid field selector: invalid escape sequence: ${all}`);
    }
    return escaped;
  });
}
