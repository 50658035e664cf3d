/** What many kinds' fields must be. Messages as apimachinery pkg/util/validation and kubernetes pkg/apis/core/validation give them. */
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  type LabelSelector,
  labelValue,
  notSupported,
  portName,
  portNumber,
  qualifiedName,
  required,
} from "@flotilla/objects";

/** Nothing for what is not there. */
export function named(path: string, value: string | undefined, check: (value: string) => string[]): FieldError[] {
  return value === undefined ? [] : check(value).map((wrong) => invalidValue(path, value, wrong));
}

export const requiredName = (path: string, value: string | undefined, check: (value: string) => string[]) =>
  value ? named(path, value, check) : [required(path)];

export function nonNegative(path: string, value: number | undefined): FieldError[] {
  return value !== undefined && value < 0 ? [invalidValue(path, value, "must be greater than or equal to 0")] : [];
}

export function between(path: string, value: number | undefined, least: number, most: number): FieldError[] {
  if (value === undefined || (value >= least && value <= most)) return [];
  return [invalidValue(path, value, `must be between ${least} and ${most}, inclusive`)];
}

/** Nothing for what is not there. */
export function oneOf(path: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  return value === undefined || supported.includes(value) ? [] : [notSupported(path, value, supported)];
}

export const largestInt32 = 2 ** 31 - 1;

export function portMistakes(path: string, port: number | string | undefined): FieldError[] {
  if (typeof port === "string") return named(path, port, portName);
  return portNumber(port ?? 0).map((wrong) => invalidValue(path, port ?? 0, wrong));
}

export function labelMistakes(path: string, labels: Readonly<Record<string, string>> | undefined): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...named(path, key, qualifiedName),
    ...named(path, value, labelValue),
  ]);
}

/** Of metadata within an object. Those of the object itself are checked for every kind alike. */
export function annotationMistakes(path: string, annotations: Readonly<Record<string, string>> | undefined) {
  return Object.keys(annotations ?? {}).flatMap((key) =>
    qualifiedName(key.toLowerCase()).map((wrong) => invalidValue(path, key, wrong)),
  );
}

export function selectorMistakes(path: string, selector: LabelSelector | undefined): FieldError[] {
  if (!selector) return [];
  const mistakes = Object.entries(selector.matchLabels ?? {}).flatMap(([key, value]) => [
    ...named(`${path}.matchLabels`, key, qualifiedName),
    ...named(`${path}.matchLabels`, value, labelValue),
  ]);
  selector.matchExpressions?.forEach(({ key, operator, values = [] }, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0)
        mistakes.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0)
        mistakes.push(
          forbiddenField(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
    } else mistakes.push(invalidValue(`${at}.operator`, operator ?? "", "not a valid selector operator"));
    mistakes.push(...named(`${at}.key`, key ?? "", qualifiedName));
    values.forEach((value, j) => {
      mistakes.push(...named(`${at}.values[${j}]`, value, labelValue));
    });
  });
  return mistakes;
}

const percent = /^[0-9]+%$/;

/** A count or a percentage, not negative. */
export function countOrPercent(path: string, value: number | string | undefined): FieldError[] {
  if (value === undefined) return [];
  if (typeof value === "number") return nonNegative(path, value);
  if (percent.test(value)) return [];
  const wrong =
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
  return [invalidValue(path, value, wrong)];
}

export function atMostAll(path: string, value: number | string | undefined): FieldError[] {
  if (typeof value !== "string" || !percent.test(value) || Number.parseInt(value, 10) <= 100) return [];
  return [invalidValue(path, value, "must not be greater than 100%")];
}

export function isRelative(path: string, value: string): FieldError[] {
  const mistakes = value.startsWith("/") ? [invalidValue(path, value, "must be a relative path")] : [];
  return [...mistakes, ...noBacksteps(path, value)];
}

export function noBacksteps(path: string, value: string): FieldError[] {
  return value.split("/").includes("..") ? [invalidValue(path, value, "must not contain '..'")] : [];
}

export const immutable = (path: string, value: unknown): FieldError =>
  invalidValue(path, value ?? null, "field is immutable");

export const flat = <T>(items: readonly T[] | undefined, check: (item: T, index: number) => FieldError[]) =>
  (items ?? []).flatMap(check);

const ipv4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;

export function isIP(value: string): boolean {
  if (ipv4.test(value)) return true;
  if (!value.includes(":")) return false;
  return URL.canParse(`http://[${value}]/`);
}

export function ipMistakes(path: string, value: string): FieldError[] {
  if (isIP(value)) return [];
  return [invalidValue(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")];
}

function isCidr(value: string): boolean {
  const [address = "", bits = "", ...more] = value.split("/");
  return more.length === 0 && isIP(address) && /^\d+$/.test(bits) && Number(bits) <= (address.includes(":") ? 128 : 32);
}

export function cidrMistakes(path: string, value: string): FieldError[] {
  if (isCidr(value)) return [];
  return [invalidValue(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")];
}
