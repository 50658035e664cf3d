/**
 * Finds in a JSON text what JSON.parse passes over: repeated keys, absurd depth, and the one key that is not a plain
 * property in JavaScript. The text must be valid JSON or is left to the parser.
 */

// Deeper than any real object, and shallow enough for code that calls itself for each level.
const maxDepth = 1000;

/** Code that copies objects key by key would set a prototype by it. */
const forbiddenKey = "__proto__";

export interface Scan {
  /** Paths of fields that stand twice in one object, as `spec.replicas`. */
  readonly repeated: readonly string[];
  /** What makes the text unacceptable. */
  readonly fault?: string;
}

export function scanJson(text: string): Scan {
  const repeated: string[] = [];
  const levels: { keys?: Set<string>; step: string | number }[] = [];
  let expectsKey = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: {
        const start = i;
        for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
        const level = levels.at(-1);
        if (!expectsKey || !level?.keys) break;
        const key = unquoted(text.slice(start, i + 1));
        level.step = key;
        if (key === forbiddenKey) return { repeated, fault: forbiddenKeyAt(pathOf(levels)) };
        if (level.keys.has(key)) repeated.push(pathOf(levels));
        level.keys.add(key);
        expectsKey = false;
        break;
      }
      case 0x7b:
        levels.push({ keys: new Set(), step: "" });
        expectsKey = true;
        if (levels.length > maxDepth) return { repeated, fault: tooDeep };
        break;
      case 0x5b:
        levels.push({ step: 0 });
        expectsKey = false;
        if (levels.length > maxDepth) return { repeated, fault: tooDeep };
        break;
      case 0x7d:
      case 0x5d:
        levels.pop();
        expectsKey = false;
        break;
      case 0x2c: {
        const level = levels.at(-1);
        if (typeof level?.step === "number") level.step++;
        expectsKey = level?.keys !== undefined;
        break;
      }
    }
  }
  return { repeated };
}

/** The same for a value that came in another encoding. */
export function faultIn(value: unknown): string | undefined {
  const waiting: { value: unknown; path: string; depth: number }[] = [{ value, path: "", depth: 0 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (typeof next.value !== "object" || next.value === null) continue;
    if (next.depth >= maxDepth) return tooDeep;
    for (const [key, child] of Object.entries(next.value)) {
      const path = next.path ? `${next.path}.${key}` : key;
      if (key === forbiddenKey) return forbiddenKeyAt(path);
      waiting.push({ value: child, path, depth: next.depth + 1 });
    }
  }
  return undefined;
}

const tooDeep = `the body is nested deeper than ${maxDepth} levels`;

const forbiddenKeyAt = (path: string): string => `${path}: this field name is not allowed`;

const unquoted = (text: string): string => {
  if (!text.includes("\\")) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
};

const pathOf = (levels: readonly { step: string | number }[]): string =>
  levels.map(({ step }, index) => (typeof step === "number" ? `[${step}]` : index > 0 ? `.${step}` : step)).join("");
