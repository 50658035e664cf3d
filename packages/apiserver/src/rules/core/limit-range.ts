/** LimitRanges. Source: kubernetes pkg/apis/core (v1/defaults.go, validation) */
import {
  compareQuantities,
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  type LimitRange,
  type LimitRangeItem,
  qualifiedName,
  required,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { flat, named } from "../mistakes.ts";

/** Which of two amounts must not exceed the other, the field that is named, what each is called, and which of them is shown. */
const orders = [
  ["min", "max", "min", "min value", "max value", "low"],
  ["min", "defaultRequest", "defaultRequest", "min value", "default request value", "high"],
  ["defaultRequest", "max", "defaultRequest", "default request value", "max value", "low"],
  ["defaultRequest", "default", "defaultRequest", "default request value", "default limit value", "low"],
  ["min", "default", "default", "min value", "default value", "low"],
  ["default", "max", "default", "default value", "max value", "high"],
] as const;

function rangeMistakes(path: string, item: LimitRangeItem): FieldError[] {
  const names = new Set(
    [item.min, item.max, item.default, item.defaultRequest].flatMap((amounts) => Object.keys(amounts ?? {})),
  );
  return [...names].flatMap((name) =>
    orders.flatMap(([low, high, field, lowName, highName, shown]) => {
      const [less, more] = [item[low]?.[name], item[high]?.[name]];
      if (less === undefined || more === undefined || compareQuantities(less, more) <= 0) return [];
      return [
        invalidValue(
          `${path}.${field}[${name}]`,
          String(shown === "low" ? less : more),
          `${lowName} ${less} is greater than ${highName} ${more}`,
        ),
      ];
    }),
  );
}

export const limitRanges: KindRules<LimitRange> = {
  defaults({ spec }) {
    for (const item of spec?.limits ?? []) {
      if (item.type !== "Container") continue;
      const standard = { ...item.max, ...item.default };
      const request = { ...item.min, ...standard, ...item.defaultRequest };
      if (Object.keys(standard).length > 0) item.default = standard;
      if (Object.keys(request).length > 0) item.defaultRequest = request;
    }
  },
  validate({ spec }) {
    const types = new Set<string>();
    return flat(spec?.limits, (item, i) => {
      const at = `spec.limits[${i}]`;
      const mistakes = named(`${at}.type`, item.type, qualifiedName);
      if (types.has(item.type)) mistakes.push(duplicate(`${at}.type`, item.type));
      types.add(item.type);
      if (item.type === "Pod") {
        for (const field of ["default", "defaultRequest"] as const)
          if (item[field]) mistakes.push(forbiddenField(`${at}.${field}`, "may not be specified when `type` is 'Pod'"));
        return [...mistakes, ...rangeMistakes(at, { ...item, default: undefined, defaultRequest: undefined })];
      }
      if (item.type === "PersistentVolumeClaim" && !item.min?.storage && !item.max?.storage)
        mistakes.push(
          required(`${at}.limits`, "either minimum or maximum storage value is required, but neither was provided"),
        );
      return [...mistakes, ...rangeMistakes(at, item)];
    });
  },
};
