/**
 * One step of a path into an object, as managedFields write it: `f:name` a field, `k:{"name":"a"}` the item of a list
 * with these keys, `v:"a"` the item of a set with this value, `i:0` the item at this index.
 *
 * Source: sigs.k8s.io/structured-merge-diff/v6 fieldpath (serialize-pe.go, element.go).
 */
import { byText, get, isObject, type JsonObject, kindOf } from "./json.ts";
import type { ListShape } from "./shape.ts";

/** A value does not have the shape that its type asks for. `path` is where, as ".spec.ports[0]". */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
  readonly path: string;
  readonly code = 400;

  constructor(path: string, problem: string) {
    super(path === "" ? problem : `${path}: ${problem}`);
    this.path = path;
  }
}

export const fieldElement = (name: string): string => `f:${name}`;

/** The element that selects the item in its list. Throws a ShapeError for an item that nothing tells apart. */
export function itemElement(item: unknown, list: ListShape): string {
  if (list.relation === "set") return setElement(item);
  if (!isObject(item)) {
    const what = item === null ? "a null element" : "non-map elements";
    throw new ShapeError("", `associative list with keys may not have ${what}`);
  }
  let text = "";
  for (const key of list.keys) {
    const value = get(item, key) ?? list.keyDefault(key);
    if (value === undefined || value === null) continue;
    text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${JSON.stringify(value)}`;
  }
  if (text === "") {
    const keys = list.keys.map((key) => JSON.stringify(key)).join(" ");
    const what = "associative list with keys has an element that omits all key fields";
    throw new ShapeError("", `${what} [${keys}] (and doesn't have default values for any key fields)`);
  }
  return `k:{${text}}`;
}

function setElement(item: unknown): string {
  const kind = kindOf(item);
  if (kind === "object") throw new ShapeError("", "associative list without keys has an element that's a map type");
  if (kind === "list") throw new ShapeError("", "not supported: associative list with lists as elements");
  if (kind === "null") throw new ShapeError("", "associative list without keys has an element that's an explicit null");
  return `v:${JSON.stringify(item)}`;
}

const order = "fkvi";

/** Fields before keys before values before indexes; each by what it holds. */
export function compareElements(left: string, right: string): number {
  const leftType = left.charAt(0);
  const rightType = right.charAt(0);
  if (leftType !== rightType) return order.indexOf(leftType) - order.indexOf(rightType);
  if (leftType === "f") return byText(left, right);
  if (leftType === "i") return Number(left.slice(2)) - Number(right.slice(2));
  const leftValue = parsed(left);
  const rightValue = parsed(right);
  return leftType === "v" ? compareScalars(leftValue, rightValue) : compareKeys(leftValue, rightValue);
}

/** Contents of elements parsed lately: the same few keys are compared again and again. */
const contents = new Map<string, unknown>();
const maxContents = 10_000;

function parsed(element: string): unknown {
  let content = contents.get(element);
  if (content === undefined) {
    content = JSON.parse(element.slice(2)) as unknown;
    if (contents.size >= maxContents) contents.clear();
    contents.set(element, content);
  }
  return content;
}

const ranks = ["number", "string", "boolean", "list", "object", "null"];

function compareScalars(left: unknown, right: unknown): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (typeof left === "string" && typeof right === "string") return byText(left, right);
  if (typeof left === "boolean" && typeof right === "boolean") return Number(left) - Number(right);
  return ranks.indexOf(kindOf(left)) - ranks.indexOf(kindOf(right));
}

function compareKeys(left: unknown, right: unknown): number {
  const leftKeys = Object.entries(left as JsonObject);
  const rightKeys = Object.entries(right as JsonObject);
  for (const [i, [name, value]] of leftKeys.entries()) {
    const other = rightKeys[i];
    if (!other) return 1;
    const compared = byText(name, other[0]) || compareScalars(value, other[1]);
    if (compared !== 0) return compared;
  }
  return leftKeys.length - rightKeys.length;
}

/** An element written by somebody else in our own spelling: keys sorted, no spaces. Undefined if it is none. */
export function canonicalElement(element: string): string | undefined {
  const content = element.slice(2);
  switch (element.slice(0, 2)) {
    case "f:":
      return element;
    case "i:":
      return /^-?\d+$/.test(content) ? element : undefined;
    case "v:":
      return `v:${JSON.stringify(JSON.parse(content))}`;
    case "k:": {
      const keys: unknown = JSON.parse(content);
      if (!isObject(keys)) return undefined;
      return `k:${JSON.stringify(Object.fromEntries(Object.entries(keys).sort(([a], [b]) => byText(a, b))))}`;
    }
    default:
      return undefined;
  }
}

/** ".name", "[containerPort=80,protocol=\"TCP\"]", "[=\"a\"]", "[0]": as messages show it. */
export function showElement(element: string): string {
  const content = element.slice(2);
  switch (element.charAt(0)) {
    case "f":
      return `.${content}`;
    case "i":
      return `[${content}]`;
    case "v":
      return `[=${content}]`;
    default: {
      const keys = Object.entries(JSON.parse(content) as JsonObject);
      return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
    }
  }
}
