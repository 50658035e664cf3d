// The package as users get it: built, packed, installed by npm into a folder of its own, and used there.
import { execFile, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, type TestContext, test } from "vitest";
import { Shop } from "./acceptance/shop.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "flotilla-published-"));
const dist = join(folder, "dist");

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}
let packed: Packed;
let shop: Shop;
/** npm's words, when there is no registry to install from. */
let unreachable: string | undefined;

beforeAll(async () => {
  await run(process.execPath, [join(root, "scripts", "publish", "build.ts"), "--out", dist], { cwd: root });
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd: join(dist, "flotilla"),
  });
  packed = (JSON.parse(stdout) as [Packed])[0];
  console.log(`${packed.filename}: ${Math.round(packed.size / 1024)} KiB, ${packed.files.length} files`);
  shop = await Shop.copy(["npx", "--no", "--", "flotilla"]);
  // Of the type that `npm init` writes: a model is a module all the same. An app's own pg moves ours to another place.
  const app = { name: "app", private: true, type: "commonjs", dependencies: { pg: "8.5.1" } };
  writeFileSync(join(shop.dir, "package.json"), JSON.stringify(app));
  unreachable = await whyUnreachable();
  if (unreachable !== undefined) {
    console.error(`SKIPPED: what the published package does once installed; npm reaches no registry: ${unreachable}`);
    return;
  }
  const tarball = join(folder, packed.filename);
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball], { cwd: shop.dir });
}, 300_000);
afterAll(async () => {
  // Without it npx would look for a package of that name elsewhere.
  if (existsSync(join(shop.dir, "node_modules", "flotilla"))) await shop.close();
  rmSync(shop.dir, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function whyUnreachable(): Promise<string | undefined> {
  try {
    await run("npm", ["view", "commander", "version", "--fetch-retries=0", "--fetch-timeout=15000"], { cwd: shop.dir });
    return undefined;
  } catch (error) {
    const { stderr } = error as { stderr: string };
    const reason = /ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH/.exec(stderr)?.[0];
    if (reason === undefined) throw error;
    return reason;
  }
}

const installed = ({ skip }: TestContext) => skip(unreachable !== undefined, `npm reaches no registry: ${unreachable}`);
const texts = () =>
  readdirSync(join(dist, "flotilla"), { recursive: true, encoding: "utf8" })
    .filter((path) => statSync(join(dist, "flotilla", path)).isFile())
    .map((path) => ({ path, text: readFileSync(join(dist, "flotilla", path), "utf8") }));

test("holds JavaScript, types and assets; nothing else, and all that was built", () => {
  const paths = packed.files.map(({ path }) => path);
  const known =
    /^(package\.json|LICENSE|README\.md|CHANGELOG\.md|bin\/flotilla\.mjs|assets\/postgres-(entrypoint\.sh|passwd)|lib\/[\w/-]+\.[mc]js|types\/[\w/-]+\.d\.ts)$/;
  expect(paths.filter((path) => !known.test(path))).toEqual([]);
  expect(paths.filter((path) => /test|fixture|testkit|simulat/.test(path))).toEqual([]);
  expect(paths.toSorted()).toEqual(
    texts()
      .map(({ path }) => path)
      .toSorted(),
  );
});

test("knows nothing of the machine or the repository that it was built in", () => {
  const escaped = (path: string) => path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const here = new RegExp(
    `${escaped(root)}/(packages|node_modules|scripts)|${escaped(homedir())}/\\w|${escaped(folder)}`,
  );
  const ours = /(from|import|require)\s*\(?\s*["']@flotilla\//;
  expect(texts().filter(({ text }) => here.test(text) || ours.test(text))).toEqual([]);
});

test("runs nothing when it is installed, and needs no workspace", () => {
  const manifest = JSON.parse(readFileSync(join(dist, "flotilla", "package.json"), "utf8"));
  expect(manifest).not.toHaveProperty("scripts");
  expect(manifest).not.toHaveProperty("private");
  const all = { ...manifest.dependencies, ...manifest.optionalDependencies } as Record<string, string>;
  expect(Object.entries(all).filter(([name, range]) => name.startsWith("@flotilla/") || range === "*")).toEqual([]);
});

test("says its version", async (context) => {
  installed(context);
  const { version } = JSON.parse(readFileSync(join(dist, "flotilla", "package.json"), "utf8"));
  expect(await shop.flotilla("--version")).toMatchObject({ code: 0, out: `${version}\n` });
});

test("checks and renders an app beside it, and one that is elsewhere", async (context) => {
  installed(context);
  const elsewhere = join(folder, "elsewhere");
  cpSync(join(root, "examples", "shop"), elsewhere, {
    recursive: true,
    filter: (file) => !/\/(\.flotilla|node_modules)$/.test(file),
  });
  for (const dir of [".", elsewhere]) {
    expect(await shop.flotilla("check", dir)).toMatchObject({ code: 0, out: expect.stringContaining("no mistakes") });
    const { code, out } = await shop.flotilla("render", dir, "-o", "json");
    expect(code).toBe(0);
    const { items } = JSON.parse(out) as { items: { kind: string }[] };
    expect(items.filter(({ kind }) => kind === "Deployment")).toHaveLength(4);
  }
});

test("is imported without its command line", async (context) => {
  installed(context);
  const file = join(shop.dir, "model.mjs");
  writeFileSync(
    file,
    `import { defineApp } from "flotilla"; console.log(JSON.stringify(defineApp({ name: "a", services: {} })));`,
  );
  const { stdout } = await run(process.execPath, [file]);
  expect(JSON.parse(stdout)).toEqual({ name: "a", services: {} });
});

test("its types know the names of a model", async (context) => {
  installed(context);
  const compile = (name: string, text: string) => {
    writeFileSync(join(shop.dir, `${name}.ts`), text);
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "esnext", "--types", ""];
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    return run(process.execPath, [tsc, "--ignoreConfig", ...options, `${name}.ts`], { cwd: shop.dir }).then(
      () => "",
      ({ stdout }: { stdout: string }) => stdout,
    );
  };
  const right = readFileSync(join(shop.dir, "flotilla.ts"), "utf8");
  const misspelt = right.replace('calls: ["catalog", "orders"]', 'calls: ["catalgo", "orders"]');
  expect(misspelt).not.toBe(right);
  expect(await compile("right", right)).toBe("");
  expect(await compile("misspelt", misspelt)).toContain('"catalgo"');
});

test("runs the app: an order passes all services and the database, kubectl sees them, down leaves nothing", async (context) => {
  installed(context);
  await shop.up();
  const response = await fetch(`${shop.url}/api/orders`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: "captain@example.com", lines: [{ product: "sextant", quantity: 2 }] }),
  });
  expect(response.status).toBe(201);
  expect(await response.json()).toMatchObject({ status: "paid", total: 49800 });

  const status = await shop.flotilla("status", "-o", "json");
  expect(status.code).toBe(0);
  const { parts } = JSON.parse(status.out) as { parts: { name: string; state: string }[] };
  expect(parts).toContainEqual(expect.objectContaining({ name: "orders", state: "ready" }));

  const found = async () => JSON.parse((await shop.flotilla("trace", "--service", "payments", "-o", "json")).out);
  await expect
    .poll(found, { timeout: 10_000 })
    .toContainEqual(
      expect.objectContaining({ services: expect.objectContaining({ gateway: 1, orders: expect.any(Number) }) }),
    );

  if (hasKubectl()) {
    const pods = await shop.kubectl("get", "pods", "-o", "name");
    expect(pods).toMatchObject({ code: 0, out: expect.stringMatching(/pod\/orders-postgres-0/) });
  } else console.error("SKIPPED: kubectl against the published package; there is no kubectl");

  expect(await shop.flotilla("down")).toMatchObject({ code: 0 });
  expect(shop.processes()).toEqual([]);
}, 120_000);

function hasKubectl(): boolean {
  try {
    execFileSync("kubectl", ["version", "--client"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
