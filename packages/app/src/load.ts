/** Finds and reads the file that describes an app, and the files that it refers to. */
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join, resolve, sep } from "node:path";
import { Worker } from "node:worker_threads";
import { type Files, inside } from "./files.ts";
import { yaml } from "./yaml.ts";

export const fileNames = [
  "flotilla.ts",
  "flotilla.js",
  "flotilla.mjs",
  "flotilla.yaml",
  "flotilla.yml",
  "flotilla.json",
];

export interface Loaded {
  /** What the file says: anything at all, until it is checked. */
  readonly app: unknown;
  /** Absolute. */
  readonly file: string;
  /** The folder of the file: paths in the model are relative to it. */
  readonly dir: string;
}

/** There is no such file, or several, or it can not be read; the message says what to do. */
export class LoadError extends Error {
  override readonly name = "LoadError";
}

/** The app's file in a folder, or the file itself. */
export function findAppFile(place: string): string {
  const path = resolve(place);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new LoadError(`there is no ${path}; name the folder of an app`);
  if (found.isFile()) return path;
  const names = new Set(readdirSync(path));
  const present = fileNames.filter((name) => names.has(name));
  const [only] = present;
  if (only === undefined)
    throw new LoadError(
      `there is no app in ${path}: it has no ${fileNames[0]} or flotilla.yaml; make one, or name the folder that has one`,
    );
  if (present.length > 1) throw new LoadError(`${path} has ${present.join(" and ")}; keep one of them`);
  return join(path, only);
}

/** Reads anew every time, with everything that the file imports. */
export async function loadApp(place: string): Promise<Loaded> {
  const file = findAppFile(place);
  const app = extname(file).match(/\.(ya?ml|json)/) ? await readYaml(file) : await importAnew(file);
  return { app, file, dir: dirname(file) };
}

async function readYaml(file: string): Promise<unknown> {
  const document = yaml().parseDocument(await readFile(file, "utf8"));
  const [error] = document.errors;
  if (error) throw new LoadError(`${basename(file)}: ${error.message.trimEnd()}`);
  return document.toJS();
}

type Answer = { readonly app: unknown } | { readonly error: string };

/**
 * A thread of its own has a module cache of its own, so an edited file, and whatever it imports, is read again; and a model
 * that is not plain data can not come out of it.
 */
function importAnew(file: string): Promise<unknown> {
  return new Promise((done, fail) => {
    const worker = new Worker(new URL(`./import-worker${extname(import.meta.url)}`, import.meta.url), {
      workerData: file,
      // What this process preloads is not for a thread that reads one file.
      execArgv: [],
    });
    const refuse = (message: string) => fail(new LoadError(`${basename(file)}: ${message}`));
    worker.once("message", (answer: Answer) => {
      if ("error" in answer) refuse(answer.error);
      else done(answer.app);
      void worker.terminate();
    });
    worker.once("error", (error) => refuse(error instanceof Error ? error.message : String(error)));
    worker.once("exit", (code) => refuse(`it ended the process with code ${code}; a model is plain data`));
  });
}

/** The files of a folder. Links that lead out of it are not followed. */
export function filesOf(dir: string): Files {
  const root = realpathSync(dir);
  const within = (path: string): string | undefined => {
    const relative = inside(path);
    if (relative === undefined) return undefined;
    try {
      const real = realpathSync(join(root, relative));
      return real === root || real.startsWith(root + sep) ? real : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  };
  return {
    read(path) {
      const real = within(path);
      return real !== undefined && statSync(real).isFile() ? readFileSync(real) : undefined;
    },
    list(path) {
      const real = within(path);
      if (real === undefined || !statSync(real).isDirectory()) return undefined;
      const entries = readdirSync(real, { withFileTypes: true });
      return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
    },
  };
}

const isAbsent = (error: unknown): boolean =>
  ["ENOENT", "ENOTDIR", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "");
