/** The types that an editor knows of `import { defineApp } from "flotilla"`: of all declarations the few files that it leads to. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

const entry = "packages/flotilla/src/index.d.ts";

/** Writes index.d.ts and what it refers to into a folder. */
export function declarations(root: string, out: string): void {
  const made = mkdtempSync(join(tmpdir(), "flotilla-types-"));
  try {
    emit(root, made);
    copy(made, out);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** Types are checked by the tests, not here. */
function emit(root: string, made: string): void {
  const config = join(made, "tsconfig.json");
  const compilerOptions = {
    noEmit: false,
    noCheck: true,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: root,
    outDir: made,
    typeRoots: [join(root, "node_modules", "@types")],
  };
  // All of ours by name: of what it finds by way of node_modules the compiler writes no declarations.
  const include = [join(root, "packages/*/src/**/*.ts")];
  const exclude = ["test", "cases", "fixture", "fixtures"].map((kind) => join(root, `packages/*/src/**/*.${kind}.ts`));
  writeFileSync(config, JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include, exclude }));
  execFileSync(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", config], {
    stdio: ["ignore", "inherit", "inherit"],
  });
}

/** `export { a, type B as C } from "x";` and `import type { A } from "x";`, on one line or on several. */
const named = /^(import|export)( type)? \{([^}]*)\} from "([^"]+)";$/gm;
const starred = /^export type \* from "([^"]+)";$/gm;

/** Names are looked up in the file that defines them: a package's index would lead to all of it. */
function copy(made: string, out: string): void {
  const read = (file: string) => readFileSync(join(made, file), "utf8");
  const left = [entry];
  const done = new Set<string>();
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    if (done.has(file)) continue;
    done.add(file);
    const from = file;
    const to = placeOf(file);
    const text = read(file).replace(named, (line, verb: string, type: string | undefined, names: string, specifier) => {
      const byFile = new Map<string, string[]>();
      for (const name of names.split(",").map((each) => each.trim())) {
        if (name === "") continue;
        const { file: definedIn, name: there } = definitionOf(read, from, specifier, name);
        byFile.set(definedIn, [...(byFile.get(definedIn) ?? []), there]);
      }
      if (byFile.size === 0) throw new Error(`${from}: nothing is named by ${line}`);
      left.push(...byFile.keys());
      return [...byFile]
        .map(
          ([target, list]) => `${verb}${type ?? ""} { ${list.join(", ")} } from "${specifierOf(to, placeOf(target))}";`,
        )
        .join("\n");
    });
    const astray = /from "(@flotilla\/[^"]*|[^"]*\.ts)"|import\("/.exec(text);
    if (astray) throw new Error(`${file}: the published types would refer to ${astray[0]}`);
    mkdirSync(dirname(join(out, to)), { recursive: true });
    writeFileSync(join(out, to), text);
  }
}

/** "index.d.ts" for the entry; "app/model/route.d.ts" for packages/app/src/model/route.d.ts. */
const placeOf = (file: string): string =>
  file === entry ? "index.d.ts" : file.replace(/^packages\/([^/]+)\/src\//, "$1/");

/** As Node.js would ask for it at run time, which is how compilers look for the types beside it. */
function specifierOf(from: string, to: string): string {
  const path = relative(dirname(from), to).replace(/\.d\.ts$/, ".js");
  return path.startsWith(".") ? path : `./${path}`;
}

/** Where a name is defined that a file takes from a specifier, and how it is spelled there: "type App as AppModel". */
function definitionOf(
  read: (file: string) => string,
  from: string,
  specifier: string,
  spelled: string,
): { file: string; name: string } {
  const [, type = "", name = "", alias = name] = /^(type )?(\S+)(?: as (\S+))?$/.exec(spelled) ?? [];
  const file = fileOf(from, specifier);
  const text = read(file);
  const done = (definedIn: string, there: string, isType: string) => ({
    file: definedIn,
    name: `${isType}${there}${there === alias ? "" : ` as ${alias}`}`,
  });
  for (const [, verb, , names = "", source = ""] of text.matchAll(named)) {
    if (verb !== "export") continue;
    for (const each of names.split(",").map((part) => part.trim())) {
      const [, there = "", called = there] = /^(?:type )?(\S+)(?: as (\S+))?$/.exec(each) ?? [];
      if (called === name) return done(fileOf(file, source), there, type);
    }
  }
  if (defines(text, name)) return done(file, name, type);
  for (const [, source = ""] of text.matchAll(starred))
    if (defines(read(fileOf(file, source)), name)) return done(fileOf(file, source), name, type);
  throw new Error(`${from}: ${name} is not found in ${specifier}`);
}

const defines = (text: string, name: string): boolean =>
  new RegExp(`^export (declare )?(interface|type|function|const|class) ${name}\\b`, "m").test(text);

const fileOf = (from: string, specifier: string): string =>
  specifier.startsWith("@flotilla/")
    ? `packages/${specifier.slice("@flotilla/".length)}/src/index.d.ts`
    : join(dirname(from), specifier.replace(/\.ts$/, ".d.ts"));
