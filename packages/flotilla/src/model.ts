/** From a folder to its model, checked for running here. */
import { statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import {
  type AppModel,
  check,
  filesOf,
  formatMistake,
  inEnvironment,
  LoadError,
  loadApp,
  local,
  type Mistake,
  nameOf,
  namespaceOf,
  toAppObject,
} from "@flotilla/app";
import { applicationFolder } from "./cluster-folder.ts";
import type { Sources } from "./develop.ts";
import { CommandError } from "./errors.ts";

/** Where to read the model from: any file that is named, else the app that the folder belongs to. */
export const modelPlace = (place: string): string =>
  statSync(place, { throwIfNoEntry: false })?.isFile() ? place : applicationFolder(place);

/** What runs an image here that was not built here. */
const runsHere = (image: string): boolean => image.startsWith("flotilla.dev/");

export interface ReadModel {
  readonly value: unknown;
  readonly name: string;
  readonly dir: string;
  readonly file: string;
  readonly mistakes: readonly Mistake[];
}

/**
 * Reads and checks; mistakes are part of the answer. Left out, `environment` means all of them. Without `sources`, a folder that
 * is not there is no mistake: it keeps one service from being built, and no other from running.
 */
export async function readModel(place: string, environment?: string, sources = true): Promise<ReadModel> {
  try {
    const { app, dir, file } = await loadApp(place);
    const mistakes = check(app, { files: filesOf(dir), environment, runs: runsHere, sources });
    return { value: app, name: nameOf(app), dir, file, mistakes };
  } catch (error) {
    if (error instanceof LoadError) throw new CommandError(error.message);
    throw error;
  }
}

const refused = ({ name, mistakes }: ReadModel) =>
  new CommandError(mistakes.map((mistake) => formatMistake(name, mistake)).join("\n"));

/** The model, if nothing keeps it from running here. */
export async function checkedModel(place: string, environment = local, sources = true) {
  const read = await readModel(place, environment, sources);
  if (read.mistakes.length > 0) throw refused(read);
  const model = read.value as AppModel;
  const here = inEnvironment(model, environment);
  const hasRoutes = [here, ...Object.values(here.services)].some(({ routes = [] }) => routes.length > 0);
  return {
    model,
    dir: read.dir,
    file: read.file,
    name: model.name,
    namespace: namespaceOf(model, environment),
    services: Object.keys(here.services),
    hasRoutes,
  };
}

/** What a laptop runs of a folder: the App and the sources of its images. */
export async function sourcesOf(place: string): Promise<Sources> {
  const { model, dir } = await checkedModel(place, local, false);
  const { services, jobs = {} } = inEnvironment(model, local);
  const inputs = Object.entries({ ...services, ...jobs }).flatMap(([name, { source, command, args }]) =>
    source === undefined
      ? []
      : [[name, { source: isAbsolute(source) ? source : resolve(join(dir, source)), command, args }] as const],
  );
  return { object: toAppObject(model, { files: filesOf(dir) }), services: new Map(inputs) };
}
