/**
 * The part of JSONPath that printer columns and field selectors of custom resources are written in: `.a.b`, `['a']`,
 * `[0]`, `[-1]`, `[*]`, `.*`, `[?(@.type=="Ready")]`. Source: kubernetes client-go util/jsonpath.
 */

type Step =
  | { readonly field: string }
  | { readonly index: number }
  | { readonly all: true }
  | { readonly filter: readonly Step[]; readonly operator: "==" | "!="; readonly value: unknown };

/** Compiles an expression such as `.status.conditions[?(@.type=="Ready")].status`. Throws a SyntaxError that names the place. */
export function jsonPath(expression: string): (value: unknown) => unknown[] {
  const steps = parse(expression.replace(/^\{(.*)\}$/s, "$1").replace(/^\$/, ""));
  return (value) => walk(steps, value);
}

function parse(path: string): Step[] {
  const steps: Step[] = [];
  const token =
    /\.?\[\?\(\s*@([^=!]*?)\s*(==|!=)\s*("[^"]*"|'[^']*'|[^)\s]+)\s*\)\]|\.?\[(-?\d+)\]|\.?\[\*\]|\.?\[['"]([^'"]+)['"]\]|\.(\*|(?:\\.|[^.[\\])+)/y;
  while (token.lastIndex < path.length) {
    const start = token.lastIndex;
    const match = token.exec(path);
    if (!match) throw new SyntaxError(`unrecognized JSONPath at "${path.slice(start)}"`);
    const [whole, filter, operator, literal, index, quoted, field] = match;
    if (operator === "==" || operator === "!=") {
      const value = JSON.parse((literal ?? "").replace(/^'(.*)'$/, '"$1"'));
      steps.push({ filter: parse(filter ?? ""), operator, value });
    } else if (index !== undefined) steps.push({ index: Number(index) });
    else if (quoted !== undefined) steps.push({ field: quoted });
    else if (field === "*" || whole.endsWith("[*]")) steps.push({ all: true });
    else steps.push({ field: (field ?? "").replace(/\\(.)/g, "$1") });
  }
  return steps;
}

function walk(steps: readonly Step[], value: unknown): unknown[] {
  let found: unknown[] = [value];
  for (const step of steps) found = found.flatMap((each) => take(step, each));
  return found;
}

function take(step: Step, value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  if ("field" in step) {
    if (Array.isArray(value) || !Object.hasOwn(value, step.field)) return [];
    return [(value as Record<string, unknown>)[step.field]];
  }
  if ("index" in step) {
    const item = Array.isArray(value) ? value.at(step.index) : undefined;
    return item === undefined ? [] : [item];
  }
  const items = Array.isArray(value) ? value : Object.values(value);
  if ("all" in step) return items;
  return items.filter((item) => {
    const [actual] = walk(step.filter, item);
    return (actual === step.value) === (step.operator === "==");
  });
}
