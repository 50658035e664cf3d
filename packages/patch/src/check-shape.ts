/**
 * Whether a configuration has the shape of its type. All faults are reported at once, each with its path.
 *
 * Source: sigs.k8s.io/structured-merge-diff/v6 typed (validate.go).
 */
import { get, isObject, kindOf } from "./json.ts";
import { itemElement, ShapeError, showElement } from "./path-element.ts";
import { formOf, type ListShape, type MapShape, type ScalarKind, type Shape } from "./shape.ts";

/** Throws a ShapeError that lists every fault. */
export function checkShape(value: unknown, shape: Shape): void {
  const faults: ShapeError[] = [];
  visit(value, shape, "", faults);
  const [first] = faults;
  if (!first) return;
  if (faults.length === 1) throw first;
  throw new ShapeError("", `errors:\n${faults.map((fault) => `  ${fault.message}`).join("\n")}`);
}

function visit(value: unknown, shape: Shape, path: string, faults: ShapeError[]): void {
  if (value === null || value === undefined) return;
  const form = formOf(shape, value);
  if (form === "map" && shape.map) {
    if (isObject(value)) visitMap(value, shape.map, path, faults);
    else faults.push(new ShapeError(path, `expected map, got ${shown(value)}`));
  } else if (form === "list" && shape.list) {
    if (Array.isArray(value)) visitList(value, shape.list, path, faults);
    else faults.push(new ShapeError(path, `expected list, got ${shown(value)}`));
  } else if (shape.scalar && !fits(value, shape.scalar)) {
    faults.push(new ShapeError(path, `expected ${names[shape.scalar]}, got ${shown(value)}`));
  }
}

function visitMap(map: Record<string, unknown>, shape: MapShape, path: string, faults: ShapeError[]): void {
  for (const key of Object.keys(map)) {
    const field = shape.field(key) ?? shape.values?.();
    const at = `${path}.${key}`;
    if (field) visit(get(map, key), field, at, faults);
    else faults.push(new ShapeError(at, "field not declared in schema"));
  }
}

function visitList(list: unknown[], shape: ListShape, path: string, faults: ShapeError[]): void {
  const seen = new Set<string>();
  for (const [i, item] of list.entries()) {
    let at = `[${i}]`;
    if (shape.relation !== "atomic") {
      let element: string;
      try {
        element = itemElement(item, shape);
      } catch (error) {
        if (!(error instanceof ShapeError)) throw error;
        faults.push(new ShapeError(path, `element ${i}: ${error.message}`));
        continue;
      }
      at = showElement(element);
      if (seen.has(element)) faults.push(new ShapeError(path, `duplicate entries for key ${at}`));
      seen.add(element);
    }
    visit(item, shape.item(), `${path}${at}`, faults);
  }
}

const names: Record<ScalarKind, string> = {
  string: "string",
  boolean: "boolean",
  numeric: "numeric (int or float)",
  any: "any scalar",
};

function fits(value: unknown, scalar: ScalarKind): boolean {
  const kind = kindOf(value);
  if (scalar === "numeric") return kind === "number";
  return scalar === "any" ? kind === "number" || kind === "string" || kind === "boolean" : kind === scalar;
}

const shown = (value: unknown): string => (typeof value === "object" ? kindOf(value) : JSON.stringify(value));
