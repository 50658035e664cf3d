/** What a source folder is, and how it is run, told from its files. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Detected {
  readonly kind: "node" | "python" | "command";
  readonly command: readonly string[];
  /** Programs that must be on the machine, or in the base image. Node.js is brought along. */
  readonly needs: readonly string[];
}

export class BuildError extends Error {
  override readonly name = "BuildError";
}

/** A program that this machine lacks: the service cannot run here, and nothing is wrong with it. */
export class MissingProgram extends Error {
  override readonly name = "MissingProgram";
  readonly program: string;

  constructor(program: string) {
    super(`needs ${program}, which is not on this machine`);
    this.program = program;
  }
}

const nodeEntries = [
  "server.ts",
  "index.ts",
  "main.ts",
  "server.js",
  "index.js",
  "main.js",
  "server.mjs",
  "index.mjs",
  "main.mjs",
];
const pythonEntries = ["main.py", "app.py", "server.py"];

/** `command`: what the model says; it wins over what is found. */
export function detect(folder: string, command?: readonly string[]): Detected {
  const has = (name: string) => existsSync(join(folder, name));
  const first = (names: readonly string[]) => names.find(has);
  if (has("package.json")) {
    const found = command ?? nodeCommand(folder, first(nodeEntries));
    if (!found)
      throw new BuildError(
        `${folder}: package.json names no program; give it "scripts": {"start": "node FILE"} or "main", or the service a command`,
      );
    return { kind: "node", command: found, needs: [] };
  }
  const python = has("requirements.txt") || has("pyproject.toml") || first(pythonEntries);
  if (python) {
    const entry = first(pythonEntries);
    const found = command ?? (entry && ["python3", entry]);
    if (!found) throw new BuildError(`${folder}: none of ${pythonEntries.join(", ")}; give the service a command`);
    return { kind: "python", command: found, needs: programsOf(found) };
  }
  const entry = first(nodeEntries);
  const found = command ?? (entry && ["node", entry]);
  if (!found)
    throw new BuildError(
      `${folder}: no package.json, ${nodeEntries[0]} or ${pythonEntries[0]}; give the service a command`,
    );
  return { kind: found[0] === "node" ? "node" : "command", command: found, needs: programsOf(found) };
}

/** A program that is a path is part of the source; node is brought along. */
const programsOf = ([program = ""]: readonly string[]) =>
  program === "node" || program.includes("/") ? [] : [program];

function nodeCommand(folder: string, entry: string | undefined): readonly string[] | undefined {
  let manifest: { main?: unknown; scripts?: { start?: unknown } };
  try {
    manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  } catch (error) {
    throw new BuildError(`${folder}/package.json: ${(error as Error).message.replaceAll("\n", " ")}`);
  }
  const start = manifest.scripts?.start;
  // Only a plain call of node is taken over: npm or a shell in between would keep SIGTERM to itself.
  if (typeof start === "string" && /^node( [^\s"'$&|;<>*?`\\]+)+$/.test(start)) return start.split(" ");
  if (typeof manifest.main === "string") return ["node", manifest.main];
  return entry === undefined ? undefined : ["node", entry];
}
