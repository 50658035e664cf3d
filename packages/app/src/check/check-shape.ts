/** Checks a value against the description of the model: unknown fields, wrong types, forms of texts, references. */
import { isRecord, type Resource, validateShape } from "@flotilla/objects";
import { formatOf, hasFormat } from "../model/formats.ts";
import type { Fields, NameKind, Shape } from "../model/shape.ts";
import { at, type Mistake } from "./mistake.ts";
import { suggestion } from "./nearest.ts";

export interface Scope {
  /** The names that references may use. */
  readonly names: Readonly<Record<NameKind, readonly string[]>>;
  /** In an overlay nothing is required and null deletes. */
  readonly overlay: boolean;
}

type Report = (path: string, message: string, remedy: string) => void;

const records: Record<NameKind, string> = {
  service: "services",
  backing: "backing",
  external: "external",
  secret: "secrets",
};
const nouns: Record<NameKind, string> = {
  service: "service",
  backing: "backing",
  external: "external",
  secret: "secret",
};

/** "text", "number", "list", ...: how a value is called in messages. */
export function called(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "function" ? "a function" : String(value);
}

const says: { [K in Shape["is"]]?: string } = {
  text: "a text",
  number: "a number",
  boolean: "true or false",
  name: "a name",
  choice: "a word",
  list: "a list",
  record: "an object",
  object: "an object",
  kube: "an object",
};

/** Whether a value could be meant as this shape, by its JSON type alone. */
function meant(shape: Shape, value: unknown): boolean {
  if (shape.is === "either") return shape.of.some((alternative) => meant(alternative, value));
  if (shape.is === "json") return true;
  if (shape.is === "choice") return typeof value === "string" || typeof value === "number";
  if (typeof value === "string") return shape.is === "text" || shape.is === "name";
  if (typeof value === "number") return shape.is === "number";
  if (typeof value === "boolean") return shape.is === "boolean";
  if (Array.isArray(value)) return shape.is === "list";
  return isRecord(value) && (shape.is === "object" || shape.is === "record" || shape.is === "kube");
}

/** Of several objects that it could be, the one with the most fields in common. */
function alternative(of: readonly Shape[], value: unknown): Shape | undefined {
  const fitting = of.filter((shape) => meant(shape, value));
  const common = (shape: Shape) =>
    shape.is === "object" && isRecord(value) ? Object.keys(value).filter((key) => key in shape.fields).length : 0;
  return fitting.reduce<Shape | undefined>(
    (best, shape) => (!best || common(shape) > common(best) ? shape : best),
    undefined,
  );
}

export function checkShape(shape: Shape, value: unknown, path: string, scope: Scope): Mistake[] {
  const mistakes: Mistake[] = [];
  const report: Report = (place, message, remedy) => mistakes.push({ path: place, message, remedy });
  walk(shape, value, path, scope, report);
  return mistakes;
}

function walk(shape: Shape, value: unknown, path: string, scope: Scope, report: Report): void {
  if (scope.overlay && value === null) return;
  if (shape.is === "either") {
    const chosen = alternative(shape.of, value);
    if (chosen) walk(chosen, value, path, scope, report);
    else report(path, `${called(value)} is not ${shape.says}`, `write ${shape.says}`);
    return;
  }
  if (!meant(shape, value)) {
    wrongType(shape, value, path, report);
    return;
  }
  switch (shape.is) {
    case "text":
      if (shape.format && !hasFormat(shape.format, value as string)) {
        const format = formatOf(shape.format);
        report(path, `${called(value)} is not ${format.says}`, `write for example ${format.example}`);
      }
      return;
    case "number":
      checkNumber(shape, value as number, path, report);
      return;
    case "choice":
      checkChoice(shape, value as string | number, path, report);
      return;
    case "name":
      checkName(shape.of, value as string, path, scope, report);
      return;
    case "list":
      for (const [i, item] of (value as unknown[]).entries()) walk(shape.of, item, at(path, i), scope, report);
      return;
    case "record":
      for (const [key, item] of Object.entries(value as object)) {
        const format = formatOf(shape.keys);
        if (!hasFormat(shape.keys, key))
          report(at(path, key), `the name "${key}" is not ${format.says}`, `name it for example ${format.example}`);
        walk(shape.of, item, at(path, key), scope, report);
      }
      return;
    case "object":
      checkFields(shape.fields, value as Record<string, unknown>, path, scope, report);
      return;
    case "kube":
      checkKube(shape.type, value, path, report);
      return;
  }
}

function wrongType(shape: Shape, value: unknown, path: string, report: Report): void {
  const wanted = shape.is === "text" && shape.format ? formatOf(shape.format).says : says[shape.is];
  const quoted = shape.is === "text" && (typeof value === "number" || typeof value === "boolean");
  const remedy = quoted ? `write it in quotes: "${value}"` : `write ${wanted}`;
  report(path, `${called(value)} is not ${wanted}`, remedy);
}

function checkNumber(shape: { min?: number; max?: number }, value: number, path: string, report: Report): void {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = shape;
  if (Number.isInteger(value) && value >= min && value <= max) return;
  const range = Number.isFinite(max) ? `a whole number from ${min} to ${max}` : `a whole number from ${min}`;
  report(path, `${value} is not ${range}`, `write ${range}`);
}

function checkChoice(
  shape: { of: readonly (string | number)[]; later?: readonly string[] },
  value: string | number,
  path: string,
  report: Report,
): void {
  if (shape.of.includes(value)) return;
  const words = shape.of.map((word) => called(word)).join(", ");
  if (shape.later?.includes(String(value))) report(path, `${called(value)} is not built yet`, `choose one of ${words}`);
  else report(path, `no ${called(value)} here`, suggestion(String(value), shape.of.map(String), ""));
}

function checkName(of: readonly NameKind[], value: string, path: string, scope: Scope, report: Report): void {
  const known = of.flatMap((kind) => scope.names[kind]);
  if (known.includes(value)) return;
  if (value.includes("/")) {
    report(path, "calls of other apps are not built yet", "leave it out");
    return;
  }
  const noun = of.map((kind) => nouns[kind])[0];
  report(
    path,
    `no ${noun} "${value}"`,
    suggestion(value, known, `add it to ${of.map((kind) => records[kind]).join(" or ")}`),
  );
}

function checkFields(fields: Fields, value: Record<string, unknown>, path: string, scope: Scope, report: Report): void {
  const known = Object.keys(fields).filter((key) => !fields[key]?.later);
  for (const [key, item] of Object.entries(value)) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    const place = at(path, key);
    if (item === undefined) continue;
    if (!field) report(place, "no such field", suggestion(key, known, "leave it out"));
    else if (field.later) report(place, "not built yet", "leave it out");
    else walk(field.shape, item, place, scope, report);
  }
  if (scope.overlay) return;
  for (const [key, field] of Object.entries(fields))
    if (field.required && value[key] === undefined) report(at(path, key), "is missing", `add it: ${lower(field.doc)}`);
}

const lower = (doc: string) => doc.charAt(0).toLowerCase() + doc.slice(1).replace(/\.$/, "");

/** Not a kind, so not a resource of the API; for its fields it may pass as one. */
function partAsResource(type: string): Resource {
  const kind = type.slice(type.lastIndexOf(".") + 1);
  const version = type.slice(0, type.lastIndexOf("."));
  const none = {
    group: "",
    plural: "",
    singular: "",
    shortNames: [],
    categories: [],
    namespaced: true,
    subresources: [],
  };
  return { ...none, version, kind, type };
}

function checkKube(type: string, value: unknown, path: string, report: Report): void {
  const resource = partAsResource(type);
  const remedy = `write a ${resource.kind} as Kubernetes has it`;
  const { unknown, wrongType } = validateShape(resource, value);
  for (const field of unknown) report(`${path}.${field}`, "no such field", remedy);
  for (const message of wrongType) report(path, message, remedy);
}
