/** All mistakes of a model at once, each with its place and what to do. */
import { isRecord } from "@flotilla/objects";
import { inEnvironment, local } from "../environment.ts";
import { plan } from "../expand/plan.ts";
import type { Files } from "../files.ts";
import { appShape } from "../model/fields.ts";
import type { App } from "../model/model.ts";
import type { NameKind, Shape } from "../model/shape.ts";
import { checkApp } from "./check-app.ts";
import { checkManifests, checkObjects } from "./check-objects.ts";
import { checkShape, type Scope } from "./check-shape.ts";
import { checkPromises } from "./check-telemetry.ts";
import { cutOut } from "./cut-out.ts";
import { at, type Mistake, ModelError } from "./mistake.ts";

export interface CheckOptions {
  readonly files: Files;
  /** Whether source folders are to be there. Default: true. */
  readonly sources?: boolean;
  /**
   * Where it is to run: one environment alone is then looked at beside the model itself. Default: all of them.
   */
  readonly environment?: string;
  /** On a laptop: whether something can run an image that was not built here. */
  readonly runs?: (image: string) => boolean;
}

const keysOf = (value: unknown): string[] => (isRecord(value) ? Object.keys(value) : []);

function scopeOf(app: Record<string, unknown>, overlay: boolean): Scope {
  const names: Record<NameKind, readonly string[]> = {
    service: keysOf(app.services),
    backing: keysOf(app.backing),
    external: keysOf(app.external),
    secret: keysOf(app.secrets),
  };
  return { names, overlay };
}

/** The shape of what is checked as the app itself, and of what is checked as an overlay. */
function shapes(): { base: Shape; environments: Shape } {
  if (appShape.is !== "object") throw new Error("an app is described as an object");
  const { environments, ...rest } = appShape.fields;
  if (!environments) throw new Error("an app has environments");
  // Records of the app itself may leave out what `defaults` states.
  return {
    base: { is: "object", fields: { ...rest, environments: { ...environments, shape: { is: "json" } } } },
    environments: environments.shape,
  };
}

function checkShapes(app: Record<string, unknown>): Mistake[] {
  const { base, environments } = shapes();
  const { defaults, environments: stated, ...rest } = app;
  const mistakes = checkShape(base, rest, "", scopeOf(app, false));
  if (defaults !== undefined && base.is === "object")
    mistakes.push(
      ...checkShape((base.fields.defaults as { shape: Shape }).shape, defaults, "defaults", scopeOf(app, true)),
    );
  if (stated !== undefined) {
    mistakes.push(...checkShape(environments, stated, "environments", scopeOf(app, true)));
    for (const [name, environment] of Object.entries(isRecord(stated) ? stated : {}))
      mistakes.push(...strangers(app, environment, at("environments", name)));
  }
  return mistakes;
}

/** What an overlay adds must be whole, and what it changes must be there: a misspelt name would else become a new service. */
function strangers(app: Record<string, unknown>, environment: unknown, path: string): Mistake[] {
  if (!isRecord(environment)) return [];
  const { base } = shapes();
  return ["services", "backing", "external", "jobs", "secrets"].flatMap((kind) => {
    const field = base.is === "object" ? base.fields[kind] : undefined;
    const changed = isRecord(environment[kind]) ? environment[kind] : {};
    return Object.entries(changed).flatMap(([name, value]) => {
      if (keysOf(app[kind]).includes(name) || value === null || field?.shape.is !== "record") return [];
      if (isRecord(value) && value.enabled === false) return [];
      const scope = { ...scopeOf(app, false) };
      return checkShape(field.shape.of, value, `${path}.${kind}.${name}`, scope);
    });
  });
}

function checkRunning(app: App, environment: string | undefined, options: CheckOptions): Mistake[] {
  const { files } = options;
  const there = inEnvironment(app, environment);
  const runs = environment === local ? options.runs : undefined;
  const mistakes = [
    ...checkApp(there, { files, runs, sources: options.sources ?? true }),
    ...checkPromises(there, environment),
    ...checkManifests(there, files),
  ];
  if (mistakes.length > 0) return mistakes;
  const target = environment === local ? "local" : "cluster";
  return checkObjects(plan(app, { environment, files, target }));
}

/** `value` is what a file exported or an App's spec: anything at all. */
export function check(value: unknown, options: CheckOptions): Mistake[] {
  if (!isRecord(value))
    return [
      {
        path: "",
        message: "the file does not describe an app",
        remedy: 'export default defineApp({ name: "shop", services: { ... } })',
      },
    ];
  const wrong = checkShapes(value);
  if (wrong.length > 0) return [...wrong, ...checkRest(value, wrong, options)];
  return checkWhole(value as unknown as App, options);
}

/** What has the wrong shape is left out, and the rest is looked at as if that were all: one round tells everything. */
function checkRest(value: Record<string, unknown>, wrong: readonly Mistake[], options: CheckOptions): Mistake[] {
  const left = structuredClone(value);
  const cut: string[] = [];
  // Nothing else depends on what the name is.
  if (wrong.some(({ path }) => path === "name")) left.name = "app";
  // What refers to something that was cut out, or lacks it, has to go as well.
  for (let found = wrong; found.length > 0; found = checkShapes(left)) {
    for (const { path } of found) cut.push(path === "name" ? path : cutOut(left, path));
    if (cut.includes("")) return [];
  }
  const missed = [...cut, ...cut.flatMap((path) => path.match(/^services\.[^.]+\.port(?=s\b)/)?.[0] ?? [])];
  return checkWhole(left as unknown as App, options).filter(
    ({ path, message, remedy }) =>
      path !== "" &&
      !missed.some((each) => isWithin(each, path) || isWithin(path, each) || `${message} ${remedy}`.includes(each)),
  );
}

const isWithin = (inner: string, outer: string): boolean =>
  inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);

/** `app` has the right shapes. */
function checkWhole(app: App, options: CheckOptions): Mistake[] {
  if (options.environment !== undefined && options.environment !== local && !app.environments?.[options.environment]) {
    const known = Object.keys(app.environments ?? {});
    return [
      {
        path: "environments",
        message: `no environment "${options.environment}"`,
        remedy: known.length ? `there are ${known.join(", ")}` : "add it",
      },
    ];
  }
  // A service may be whole only where `environments` says what it lacks, so the app alone is what runs without one.
  const environments =
    options.environment !== undefined
      ? [options.environment]
      : [undefined, local, ...Object.keys(app.environments ?? {}).filter((name) => name !== local)];
  const mistakes = new Map<string, Mistake>();
  for (const environment of environments) {
    for (const mistake of checkRunning(app, environment, options)) {
      const key = `${mistake.path}: ${mistake.message}`;
      if (mistakes.has(key)) continue;
      const only = environment !== undefined && environments.length > 1;
      mistakes.set(key, only ? { ...mistake, message: `in environment ${environment}: ${mistake.message}` } : mistake);
    }
  }
  return [...mistakes.values()];
}

/** The name to put before mistakes: the app's own, where it has one. */
export const nameOf = (value: unknown): string =>
  isRecord(value) && typeof value.name === "string" && value.name ? value.name : "(unnamed)";

/** The app, if it has no mistakes; else throws a ModelError with all of them. */
export function checked(value: unknown, options: CheckOptions): App {
  const mistakes = check(value, options);
  if (mistakes.length > 0) throw new ModelError(nameOf(value), mistakes);
  return value as App;
}
