/** An app as an object of the kind App: the model as authored, with the files that it refers to inlined. */
import { type App, Apps, type AppVersion, newObject } from "@flotilla/objects";
import { inEnvironment, local, namespaceOf } from "./environment.ts";
import { manifestFiles } from "./expand/manifests.ts";
import { migrationFiles } from "./expand/migration.ts";
import { asText, type Files, knownFiles } from "./files.ts";
import type { App as Model } from "./model/model.ts";
import type { Program } from "./model/service.ts";

export interface AppObjectOptions {
  readonly files: Files;
  readonly versions?: Readonly<Record<string, AppVersion>>;
  /** Default: "local". */
  readonly environment?: string;
}

/** Paths of all files that the expansion reads, in this environment. */
function filesRead(app: Model, files: Files): string[] {
  const programs: Program[] = [...Object.values(app.services), ...Object.values(app.jobs ?? {})];
  const mounted = programs.flatMap((program) =>
    Object.values(program.files ?? {}).flatMap((content) => ("file" in content ? [content.file] : [])),
  );
  const migrations = Object.values(app.backing ?? {}).flatMap(({ migrations: folder }) =>
    folder === undefined ? [] : Object.keys(migrationFiles(files, folder) ?? {}).map((name) => `${folder}/${name}`),
  );
  const manifests = (app.objects ?? []).flatMap((path) => manifestFiles(files, path) ?? []);
  return [...new Set([...mounted, ...migrations, ...manifests])].sort();
}

/** `app` without mistakes. What it becomes is then a matter of the object alone. */
export function toAppObject(app: Model, { files, versions = {}, environment = local }: AppObjectOptions): App {
  const inlined: Record<string, { text: string } | { base64: string }> = {};
  for (const path of filesRead(inEnvironment(app, environment), files)) {
    const content = files.read(path);
    if (!content) continue;
    const text = asText(content);
    inlined[path] = text === undefined ? { base64: Buffer.from(content).toString("base64") } : { text };
  }
  // What is no JSON (undefined) would differ from what the API keeps.
  const model = JSON.parse(JSON.stringify(app)) as Record<string, unknown>;
  return newObject(Apps, {
    metadata: { name: app.name, namespace: namespaceOf(app, environment) },
    spec: {
      ...model,
      environment,
      ...(Object.keys(versions).length > 0 && { versions: { ...versions } }),
      ...(Object.keys(inlined).length > 0 && { files: inlined }),
    },
  });
}

export interface FromObject {
  readonly app: Model;
  readonly files: Files;
  readonly versions: Readonly<Record<string, AppVersion>>;
  readonly environment: string;
}

/** The other way: the model as it was authored, and where its files now are. */
export function fromAppObject(object: App): FromObject {
  const { versions = {}, files = {}, environment = local, ...model } = object.spec;
  const contents = Object.entries(files as Record<string, { text?: string; base64?: string }>).map(
    ([path, { text, base64 }]) => [path, text ?? Buffer.from(base64 ?? "", "base64")] as const,
  );
  return {
    app: { ...model, name: model.name ?? object.metadata.name } as unknown as Model,
    files: knownFiles(Object.fromEntries(contents)),
    versions,
    environment,
  };
}
