/** The JavaScript of the published package: one file for each process and command, what they share in chunks beside them. */
import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly [field: string]: unknown;
}

/**
 * Files that are started or asked for by name. All end up in one folder, with every chunk: what a module finds beside itself by
 * import.meta.url it finds there too, whichever chunk it became part of.
 */
const entries = {
  main: "packages/flotilla/src/main.ts",
  agent: "packages/flotilla/src/processes/agent.ts",
  "control-plane": "packages/flotilla/src/processes/control-plane.ts",
  "data-plane": "packages/flotilla/src/processes/data-plane.ts",
  telemetry: "packages/flotilla/src/processes/telemetry.ts",
};

/** These share nothing: containers get the first by itself, and the model's own needs next to none of a package. */
const alone = {
  migrate: "packages/flotilla/src/migrate.ts",
  index: "packages/flotilla/src/index.ts",
  "import-worker": "packages/app/src/import-worker.ts",
  "model/define-app": "packages/app/src/model/define-app.ts",
};

export const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

/** Writes the bundle to a folder. Answers the packages from elsewhere that it needs beside it, with their versions. */
export async function bundle(root: string, out: string): Promise<Record<string, string>> {
  const asked = new Set<string>();
  const options = {
    absWorkingDir: root,
    outdir: out,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node26",
    // Of this extension Node.js need not ask what it is, and it stays a module where no package.json is near.
    outExtension: { ".js": ".mjs" },
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
    // The second: what is imported for what it does would be left out.
    logOverride: { "import-is-undefined": "error", "ignored-bare-import": "error" },
    plugins: [imports(asked)],
  } satisfies BuildOptions;
  const results = [
    await build({ ...options, entryPoints: entries, splitting: true, chunkNames: "[name]-[hash]" }),
    await build({ ...options, entryPoints: alone }),
  ];
  const files = results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  return dependenciesOf(root, new Set(files.map((file) => file.split("/").slice(0, 2).join("/"))), asked);
}

/** Ours is bundled, what is others' is asked for at run time and noted in `asked`. */
const imports = (asked: Set<string>): Plugin => ({
  name: "imports",
  setup(it) {
    it.onResolve({ filter: /./ }, async ({ path, resolveDir, kind, pluginData }) => {
      if (kind === "entry-point" || pluginData === resolving) return undefined;
      if (!path.startsWith(".") && !path.startsWith("@flotilla/")) {
        if (!isBuiltin(path)) asked.add(packageOf(path));
        return { path, external: true };
      }
      // Modules of ours only define: what a process does not use of a package is left out.
      return { ...(await it.resolve(path, { resolveDir, kind, pluginData: resolving })), sideEffects: false };
    });
  },
});

const resolving = Symbol("resolving");

/** "@scope/name" of "@scope/name/file". */
const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

/** What the bundled packages declare; a package that is used and not declared is a mistake of ours. */
function dependenciesOf(
  root: string,
  packages: ReadonlySet<string>,
  asked: ReadonlySet<string>,
): Record<string, string> {
  const declared: Record<string, string> = {};
  for (const folder of packages) {
    if (!existsSync(join(root, folder, "package.json")))
      throw new Error(`${folder} is bundled, and no package of ours`);
    for (const [name, range] of Object.entries(readManifest(join(root, folder)).dependencies ?? {})) {
      if (name.startsWith("@flotilla/")) continue;
      const known = declared[name] ?? range;
      if (known !== range) throw new Error(`${folder} wants ${name} ${range}, others ${known}`);
      declared[name] = range;
    }
  }
  const missing = [...asked].filter((name) => !(name in declared));
  if (missing.length > 0) throw new Error(`not declared as a dependency by any package: ${missing.join(", ")}`);
  return Object.fromEntries(Object.entries(declared).sort(([a], [b]) => (a < b ? -1 : 1)));
}
