/** From a source folder to an image: its production dependencies as one layer, the source as another. */
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Dependencies, dependenciesOf } from "./dependencies.ts";
import { BuildError, type Detected, detect, MissingProgram } from "./detect.ts";
import { writeLayer } from "./layer.ts";
import type { ImageConfig } from "./layout.ts";
import { entriesOf, type SourceEntry, sourceEntries } from "./source-files.ts";
import type { ImageStore, StoredLayer } from "./store.ts";

export interface BuildOptions {
  /** The source folder, absolute. */
  readonly dir: string;
  /** What the image is called, without a registry: "shop-orders". */
  readonly name: string;
  readonly store: ImageStore;
  /** "linux-x64" */
  readonly platform: string;
  /** Wins over what is found in the folder. */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  /** Refuse, with a MissingProgram, what this machine has no program for. Default: true. */
  readonly runsHere?: boolean;
  /** Told what takes long, in a few words. */
  report(text: string): void;
}

export interface BuiltImage {
  /** "localhost/shop-orders@sha256:..." */
  readonly reference: string;
  readonly digest: string;
  readonly config: ImageConfig["config"];
  readonly kind: Detected["kind"];
}

/** The user of every image that we build. Source: the official node image. */
const user = "1000:1000";

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

export async function buildImage(options: BuildOptions): Promise<BuiltImage> {
  const { dir, name, store, platform, args = [] } = options;
  if (!existsSync(dir)) throw new BuildError(`${dir}: there is no such folder`);
  const detected = detect(dir, options.command);
  if (options.runsHere ?? true)
    for (const program of detected.needs) if (!isOnPath(program)) throw new MissingProgram(program);

  const dependencies = await dependenciesOf(detected.kind, {
    dir,
    cache: store.dependencies,
    platform,
    report: options.report,
  });
  const layers: StoredLayer[] = [];
  if (dependencies) layers.push(await dependencyLayer(store, dependencies, options.report));
  layers.push(await sourceLayer(store, dir, dependencies));

  const [os = "linux", arch = "x64"] = platform.split("-");
  const config = {
    Env: ["PATH=/usr/local/bin:/usr/bin:/bin", "NODE_ENV=production", ...(dependencies?.env ?? [])],
    Entrypoint: [],
    Cmd: [...detected.command, ...args],
    WorkingDir: "/app",
    User: user,
  };
  const digest = store.add(name, { os, architecture: architectures[arch] ?? arch, config }, layers);
  return { reference: `localhost/${name}@${digest}`, digest, config, kind: detected.kind };
}

/** Made once for each set of dependencies: thousands of files, which hardly ever change. */
async function dependencyLayer(
  store: ImageStore,
  { key, folder, target }: Dependencies,
  report: (text: string) => void,
) {
  const known = store.knownLayer(key);
  if (known) return known;
  report("packing its dependencies");
  const layer = await store.writeLayer((file) => writeLayer(entriesOf(folder), target.slice(1), file));
  return store.rememberLayer(key, { ...layer, source: folder, target });
}

async function sourceLayer(
  store: ImageStore,
  dir: string,
  dependencies: Dependencies | undefined,
): Promise<StoredLayer> {
  const entries: SourceEntry[] = sourceEntries(dir);
  // What is mounted into a read-only folder needs a place there.
  const inside = dependencies?.target.slice("/app/".length);
  if (inside !== undefined) entries.push({ path: inside, type: "folder" });
  const layer = await store.writeLayer((file) => writeLayer(entries, "app", file));
  return { ...layer, source: store.unpack(layer.digest, entries), target: "/app" };
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
