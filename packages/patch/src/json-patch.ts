/**
 * JSON Patch, RFC 6902. A failing operation fails the whole patch; nothing given is changed.
 * Messages are worded as those of evanphx/json-patch, which users of Kubernetes know.
 */
import { equal, isObject, type JsonObject, put } from "./json.ts";
import { JsonPatchError } from "./patch-error.ts";

export type JsonPatchOperation =
  | { op: "add" | "replace" | "test"; path: string; value: unknown }
  | { op: "remove"; path: string }
  | { op: "move" | "copy"; path: string; from: string };

/** The most operations that one patch may hold. Source: apiserver pkg/endpoints/handlers/patch.go. */
const maxOperations = 10_000;

/** Bytes that all `copy` operations of one patch may add. Source: apiserver pkg/server/config.go (MaxRequestBodyBytes). */
const maxCopiedBytes = 3 * 1024 * 1024;

interface Budget {
  copied: number;
}

/** The value after all operations; a JsonPatchError if one of them fails. Parts that no operation touches are shared with the input. */
export function jsonPatch(value: unknown, operations: JsonPatchOperation[]): unknown {
  if (!Array.isArray(operations)) throw new JsonPatchError("a JSON patch is a list of operations", 400);
  if (operations.length > maxOperations) {
    const message = `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`;
    throw new JsonPatchError(message, 400);
  }
  const budget: Budget = { copied: 0 };
  return operations.reduce<unknown>((patched, operation) => applyOperation(patched, operation, budget), value);
}

function applyOperation(value: unknown, operation: JsonPatchOperation, budget: Budget): unknown {
  if (!isObject(operation)) throw new JsonPatchError("an operation of a JSON patch is an object", 400);
  const path = pointer(operation, "path");
  switch (operation.op) {
    case "add":
      return add(value, path, given(operation), "add");
    case "remove":
      return remove(value, path, "remove");
    case "replace": {
      const replacement = given(operation);
      return path.tokens.length === 0 ? replacement : replace(value, path, replacement);
    }
    case "test": {
      if (!equal(read(value, path, "test") ?? null, given(operation))) {
        throw new JsonPatchError(`testing value ${path.text} failed: test failed`);
      }
      return value;
    }
    case "move": {
      const from = pointer(operation, "from");
      if (path.text.startsWith(`${from.text}/`)) {
        throw new JsonPatchError(`move operation does not apply: "${from.text}" cannot be moved into itself`);
      }
      const moved = present(value, from, "move");
      return add(remove(value, from, "move"), path, moved, "move");
    }
    case "copy":
      return add(value, path, charged(present(value, pointer(operation, "from"), "copy"), budget), "copy");
    default:
      throw new JsonPatchError(`Unexpected kind: ${(operation as { op?: unknown }).op ?? "unknown"}`, 400);
  }
}

function charged(value: unknown, budget: Budget): unknown {
  budget.copied += JSON.stringify(value).length;
  if (budget.copied <= maxCopiedBytes) return value;
  const size = `the accumulated size increase of copy is ${budget.copied}, exceeding the limit ${maxCopiedBytes}`;
  throw new JsonPatchError(`Unable to complete the copy, ${size}`, 413);
}

interface Pointer {
  readonly text: string;
  readonly tokens: readonly string[];
}

/** RFC 6901. */
function pointer(operation: JsonPatchOperation, field: "path" | "from"): Pointer {
  const text = (operation as JsonObject)[field];
  if (typeof text !== "string") {
    throw new JsonPatchError(`${operation.op} operation failed to decode ${field}: missing value`, 400);
  }
  if (text === "") return { text, tokens: [] };
  if (!text.startsWith("/")) {
    throw new JsonPatchError(`${operation.op} operation does not apply: "${text}" is no JSON pointer`);
  }
  const unescaped = (token: string) => token.replaceAll("~1", "/").replaceAll("~0", "~");
  return { text, tokens: text.slice(1).split("/").map(unescaped) };
}

function given(operation: JsonPatchOperation & { value?: unknown }): unknown {
  if (operation.value === undefined) {
    throw new JsonPatchError(`${operation.op} operation is missing value field: missing value`, 400);
  }
  return operation.value;
}

const missing = (verb: string, path: Pointer, what: "path" | "key" = "path") =>
  new JsonPatchError(`${verb} operation does not apply: doc is missing ${what}: ${path.text}: missing value`);

/** An index below `end`; negative ones count from the end, as evanphx/json-patch allows. */
function indexOf(token: string, path: Pointer, end: number): number {
  if (!/^-?(0|[1-9]\d*)$/.test(token)) {
    throw new JsonPatchError(`error for path: '${path.text}': value was not a proper array index: '${token}'`);
  }
  const index = Number(token);
  const fromStart = index < 0 ? index + end : index;
  if (fromStart < 0 || fromStart >= end) {
    const message = `Unable to access invalid index: ${token}: invalid index referenced`;
    throw new JsonPatchError(`error for path: '${path.text}': ${message}`);
  }
  return fromStart;
}

/** What stands at the path; undefined if its last key is not there. */
function read(value: unknown, path: Pointer, verb: string): unknown {
  let at = value;
  for (const [depth, token] of path.tokens.entries()) {
    if (Array.isArray(at)) at = at[indexOf(token, path, at.length)];
    else if (isObject(at) && Object.hasOwn(at, token)) at = at[token];
    else if (isObject(at) && depth === path.tokens.length - 1) return undefined;
    else throw missing(verb, path);
  }
  return at;
}

function present(value: unknown, path: Pointer, verb: string): unknown {
  const found = read(value, path, verb);
  if (found === undefined) throw missing(verb, path, "key");
  return found;
}

/** Rebuilds the containers along the path; `change` edits a copy of the last one. */
function edit(
  value: unknown,
  path: Pointer,
  verb: string,
  change: (container: unknown[] | JsonObject, token: string) => void,
  depth = 0,
): unknown {
  const token = path.tokens[depth] as string;
  const last = depth === path.tokens.length - 1;
  if (Array.isArray(value)) {
    const copy = [...value];
    if (last) {
      change(copy, token);
    } else {
      const index = indexOf(token, path, copy.length);
      copy[index] = edit(copy[index], path, verb, change, depth + 1);
    }
    return copy;
  }
  if (!isObject(value)) throw missing(verb, path);
  const copy = { ...value };
  if (last) change(copy, token);
  else if (Object.hasOwn(copy, token)) put(copy, token, edit(copy[token], path, verb, change, depth + 1));
  else throw missing(verb, path);
  return copy;
}

function add(value: unknown, path: Pointer, added: unknown, verb: string): unknown {
  if (path.tokens.length === 0) return added;
  return edit(value, path, verb, (container, token) => {
    if (!Array.isArray(container)) put(container, token, added);
    else if (token === "-") container.push(added);
    else container.splice(indexOf(token, path, container.length + 1), 0, added);
  });
}

function replace(value: unknown, path: Pointer, replacement: unknown): unknown {
  return edit(value, path, "replace", (container, token) => {
    if (Array.isArray(container)) container[indexOf(token, path, container.length)] = replacement;
    else if (Object.hasOwn(container, token)) put(container, token, replacement);
    else throw missing("replace", path, "key");
  });
}

function remove(value: unknown, path: Pointer, verb: string): unknown {
  if (path.tokens.length === 0) throw new JsonPatchError(`${verb} operation does not apply: the whole document`);
  return edit(value, path, verb, (container, token) => {
    if (Array.isArray(container)) {
      container.splice(indexOf(token, path, container.length), 1);
    } else if (Object.hasOwn(container, token)) {
      delete container[token];
    } else {
      const message = `error in ${verb} for path: '${path.text}': Unable to remove nonexistent key: ${token}: missing value`;
      throw new JsonPatchError(message);
    }
  });
}
