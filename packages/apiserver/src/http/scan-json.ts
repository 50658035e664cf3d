/** Finds in a JSON text what JSON.parse passes over: repeated keys and absurd depth. The text must be valid JSON or is left to the parser. */

// Source: sigs.k8s.io/json (maximum nesting depth).
export const maxDepth = 10_000;

/** Paths of fields that stand twice in one object, as `spec.replicas`; undefined when nested deeper than `maxDepth`. */
export function scanJson(text: string): string[] | undefined {
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
        if (level.keys.has(key)) repeated.push(pathOf(levels));
        level.keys.add(key);
        expectsKey = false;
        break;
      }
      case 0x7b:
        levels.push({ keys: new Set(), step: "" });
        expectsKey = true;
        if (levels.length > maxDepth) return undefined;
        break;
      case 0x5b:
        levels.push({ step: 0 });
        expectsKey = false;
        if (levels.length > maxDepth) return undefined;
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
  return repeated;
}

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
