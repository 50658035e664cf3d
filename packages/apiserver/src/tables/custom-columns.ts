/** Printers of custom resources, made of `additionalPrinterColumns`. Source: apiextensions-apiserver pkg/registry/customresource/tableconvertor. */
import type { CustomResourceColumnDefinition } from "@flotilla/objects";
import { jsonPath } from "./json-path.ts";
import { ageColumn, type Cell, type Column, nameColumn, type Printer, printer, since } from "./printer.ts";

const plainPrinter: Printer = printer(ageColumn);

export function customPrinter(columns: readonly CustomResourceColumnDefinition[] | undefined): Printer {
  if (!columns || columns.length === 0) return plainPrinter;
  return { columns: [nameColumn, ...columns.map(customColumn)] };
}

function customColumn({
  name,
  type,
  format,
  description,
  priority = 0,
  jsonPath: path,
}: CustomResourceColumnDefinition): Column {
  const find = compiled(path);
  const known: Column["type"] =
    type === "integer" || type === "number" || type === "boolean" || type === "date" ? type : "string";
  // kubectl knows the type "string" only for what the server has formatted already.
  const shownAs = known === "date" ? "string" : known;
  return {
    name,
    type: shownAs,
    format,
    description,
    priority,
    cell: (object, now) => cellOf(known, find(object), now),
  };
}

function compiled(path: string): (value: unknown) => unknown[] {
  try {
    return jsonPath(path);
  } catch (error) {
    // The kind stays usable: only this column says what is wrong with it.
    if (error instanceof SyntaxError) return () => ["<invalid>"];
    throw error;
  }
}

function cellOf(type: Column["type"], found: readonly unknown[], now: number): Cell {
  const [first] = found;
  if (first === undefined || first === null) return null;
  switch (type) {
    case "integer":
      return typeof first === "number" ? Math.trunc(first) : null;
    case "number":
      return typeof first === "number" ? first : null;
    case "boolean":
      return typeof first === "boolean" ? first : null;
    case "date":
      return typeof first === "string" ? since(first, now) : "<invalid>";
    case "string":
      return found.map((value) => (typeof value === "object" ? JSON.stringify(value) : String(value))).join(" ");
  }
}
