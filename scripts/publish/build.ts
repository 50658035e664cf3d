/**
 * npm run build [-- --out dist]: makes dist/flotilla/, ready for `npm publish`: JavaScript for every process and command, the
 * types of the model, the files that containers are given. Nothing in it needs this repository.
 */
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle, type Manifest, readManifest } from "./bundle.ts";
import { declarations } from "./declarations.ts";

const root = resolve(import.meta.dirname, "../..");
const source = join(root, "packages", "flotilla");

/** Files that are taken as they are, and from where. Code finds them by their place beside it, so those of lib/ lie beside all code. */
const assets: Record<string, string> = {
  "bin/flotilla.mjs": "packages/flotilla/bin/flotilla.mjs",
  "assets/postgres-entrypoint.sh": "packages/flotilla/assets/postgres-entrypoint.sh",
  "assets/postgres-passwd": "packages/flotilla/assets/postgres-passwd",
  "lib/preload/container.cjs": "packages/node/src/preload/container.cjs",
  "lib/preload/lazy-http.cjs": "packages/node/src/preload/lazy-http.cjs",
  "lib/preload/local-address.cjs": "packages/node/src/preload/local-address.cjs",
  "lib/preload/generated/tracing.cjs": "packages/node/src/preload/generated/tracing.cjs",
  // What processes/preload.cjs adds to it finds hundreds of source files faster; here is a handful.
  "lib/preload.cjs": "packages/node/src/preload/lazy-http.cjs",
  "README.md": "scripts/publish/readme.md",
  "CHANGELOG.md": "CHANGELOG.md",
  LICENSE: "LICENSE",
};

/** What of the manifest is the same for users and here. */
const kept = ["name", "version", "description", "license", "type", "keywords", "engines"];

function manifestOf(dependencies: Record<string, string>): Manifest {
  const ours = readManifest(source);
  return {
    ...Object.fromEntries(Object.entries(ours).filter(([field]) => kept.includes(field))),
    name: ours.name,
    version: ours.version,
    bin: { flotilla: "bin/flotilla.mjs" },
    imports: { "#main": "./lib/main.mjs", "#preload": "./lib/preload.cjs" },
    exports: {
      ".": { types: "./types/index.d.ts", default: "./lib/index.mjs" },
      "./package.json": "./package.json",
    },
    files: ["assets", "bin", "lib", "types", "CHANGELOG.md"],
    dependencies,
    optionalDependencies: ours.optionalDependencies,
  };
}

/** Makes the package in `out`/flotilla and answers that folder. */
async function buildPackage(out: string): Promise<string> {
  const folder = join(resolve(out), "flotilla");
  rmSync(folder, { recursive: true, force: true });
  const dependencies = await bundle(root, join(folder, "lib"));
  declarations(root, join(folder, "types"));
  for (const [to, from] of Object.entries(assets)) {
    mkdirSync(dirname(join(folder, to)), { recursive: true });
    cpSync(join(root, from), join(folder, to));
  }
  chmodSync(join(folder, "bin", "flotilla.mjs"), 0o755);
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifestOf(dependencies), undefined, 2)}\n`);
  return folder;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: "string", default: join(root, "dist") } } });
  const folder = await buildPackage(values.out);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => statSync(join(folder, file)));
  const size = files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
  console.log(`${folder}: ${files.filter((file) => file.isFile()).length} files, ${Math.round(size / 1024)} KiB`);
}
