/** A mistake in a model: where, what, and what to do. */

export interface Mistake {
  /** "services.orders.calls[1]". */
  readonly path: string;
  readonly message: string;
  readonly remedy: string;
}

/** One step into a value: `services` + `orders`, `calls` + 1, `files` + `["/etc/x"]`. */
export function at(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path ? `${path}.${key}` : key;
}

/** `App shop: services.orders.calls[1]: no service "paymnets"; did you mean "payments"?` */
export function formatMistake(app: string, mistake: Mistake): string {
  const place = mistake.path ? ` ${mistake.path}:` : "";
  return `App ${app}:${place} ${mistake.message}; ${mistake.remedy}`;
}

/** All mistakes of a model, one a line. */
export class ModelError extends Error {
  readonly app: string;
  readonly mistakes: readonly Mistake[];

  constructor(app: string, mistakes: readonly Mistake[]) {
    super(mistakes.map((mistake) => formatMistake(app, mistake)).join("\n"));
    this.name = "ModelError";
    this.app = app;
    this.mistakes = mistakes;
  }
}
