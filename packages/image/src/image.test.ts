import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { buildImage } from "./build.ts";
import { detect, MissingProgram } from "./detect.ts";
import { ignoring } from "./ignore.ts";
import { saveImage } from "./save.ts";
import { ImageNotFound, ImageStore } from "./store.ts";

let folder: string;
let dir: string;
let store: ImageStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flotilla-image-"));
  dir = join(folder, "source");
  mkdirSync(dir);
  store = new ImageStore(join(folder, "images"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(files: Record<string, string>) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
}

const build = (options: { command?: string[] } = {}) =>
  buildImage({ dir, name: "shop-web", store, platform: "linux-x64", report: () => {}, ...options });

describe("detect", () => {
  const command = (files: Record<string, string>, given?: string[]) => {
    write(files);
    return detect(dir, given).command;
  };
  test("a plain start script", () =>
    expect(command({ "package.json": '{"scripts":{"start":"node server.ts --x=1"}}' })).toEqual([
      "node",
      "server.ts",
      "--x=1",
    ]));
  test("main, where the script is a line of shell", () =>
    expect(command({ "package.json": '{"main":"a.js","scripts":{"start":"node a.js && echo"}}' })).toEqual([
      "node",
      "a.js",
    ]));
  test("a file of a usual name", () => expect(command({ "index.ts": "" })).toEqual(["node", "index.ts"]));
  test("Python", () => expect(command({ "main.py": "" })).toEqual(["python3", "main.py"]));
  test("the model's command wins", () =>
    expect(command({ "main.py": "" }, ["python3", "x.py"])).toEqual(["python3", "x.py"]));
  test("nothing known", () => expect(() => command({ "a.txt": "" })).toThrow("give the service a command"));
  test("a package.json that is no JSON", () =>
    expect(() => command({ "package.json": "{" })).toThrow(/package\.json: /));
});

describe("ignoring", () => {
  const left = (files: Parameters<typeof ignoring>[0], path: string, isFolder = false) =>
    ignoring(files)(path, isFolder);
  test.each([
    ["node_modules", true],
    ["a/node_modules", true],
    [".git", true],
    ["src", false],
  ])("%s: %s", (path, expected) => expect(left({}, path, true)).toBe(expected));
  test(".gitignore: a name at any depth", () => expect(left({ gitignore: "*.log" }, "a/b.log")).toBe(true));
  test(".gitignore: folders only", () => expect(left({ gitignore: "dist/" }, "dist")).toBe(false));
  test(".dockerignore: from the top", () => expect(left({ dockerignore: "*.log" }, "a/b.log")).toBe(false));
  test(".dockerignore wins", () => expect(left({ dockerignore: "a", gitignore: "b" }, "b")).toBe(false));
  test("taken back", () => expect(left({ gitignore: "*.md\n!README.md" }, "README.md")).toBe(false));
});

test("the same content makes the same image, whatever its times and owner", async () => {
  write({ "server.js": "console.log(1)", "lib/a.js": "" });
  const first = await build();
  utimesSync(join(dir, "server.js"), 1, 1);
  expect((await build()).digest).toBe(first.digest);
  write({ "server.js": "console.log(2)" });
  expect((await build()).digest).not.toBe(first.digest);
});

test("an image is resolved to folders that hold its files, readable for everybody", async () => {
  write({ "server.js": "1", "run.sh": "2" });
  chmodSync(join(dir, "run.sh"), 0o700);
  const { reference } = await build();
  const { mounts, config } = await store.resolve(reference);
  expect(config).toMatchObject({ cmd: ["node", "server.js"], workingDir: "/app", user: "1000:1000" });
  expect(mounts).toMatchObject([{ target: "/app", readOnly: true }]);
  const listing = execFileSync("stat", ["-c", "%a %n", "server.js", "run.sh"], {
    cwd: mounts[0]?.source,
    encoding: "utf8",
  });
  expect(listing).toBe("644 server.js\n755 run.sh\n");
});

test("what is not here is not found", async () => {
  await expect(store.resolve("docker.io/library/nginx:1")).rejects.toThrow(ImageNotFound);
});

test("a program that is not on this machine", async () => {
  write({ "main.rb": "" });
  await expect(build({ command: ["no-such-program", "main.rb"] })).rejects.toThrow(MissingProgram);
});

test("dependencies without a lock file are refused with what to do", async () => {
  write({ "package.json": '{"main":"a.js","dependencies":{"pg":"1"}}', "a.js": "" });
  await expect(build()).rejects.toThrow("npm install --package-lock-only");
});

test("dependencies that cannot be installed: said aloud, with npm's words and what to do", async () => {
  write({
    "package.json": '{"main":"a.js","dependencies":{"local":"file:local"}}',
    "package-lock.json": JSON.stringify({ lockfileVersion: 3, packages: { "": { dependencies: {} } } }),
    "a.js": "",
  });
  const said: string[] = [];
  const report = (text: string) => void said.push(text);
  const building = buildImage({ dir, name: "shop-web", store, platform: "linux-x64", report });
  await expect(building).rejects.toThrow(/npm could not install its dependencies; run npm ci/);
  expect(said).toEqual(["installing its dependencies (npm ci)"]);
  expect(readdirSync(store.dependencies)).toEqual([]);
});

test("the oldest images of a name are forgotten, with what only they need", async () => {
  for (let i = 0; i < 12; i++) {
    write({ "server.js": `console.log(${i})` });
    await build();
  }
  expect(store.list().length).toBe(10);
  expect(readdirSync(join(store.layout, "unpacked")).length).toBe(10);
});

test("a saved image stands on its base", async () => {
  write({ "server.js": "1" });
  const base = await build({ command: ["node"] });
  const baseFile = join(folder, "base.tar");
  await saveImage({ store, reference: base.reference, file: baseFile, name: "base:1" });
  write({ "server.js": "2" });
  const { reference } = await build();
  const file = join(folder, "image.tar");
  await saveImage({ store, reference, file, name: "registry.example/web:1", base: baseFile });

  const out = join(folder, "out");
  mkdirSync(out);
  execFileSync("tar", ["xf", file, "-C", out]);
  const read = (path: string) => JSON.parse(readFileSync(join(out, path), "utf8"));
  const blob = (digest: string) => `blobs/${digest.replace(":", "/")}`;
  const [{ digest, annotations }] = read("index.json").manifests;
  expect(annotations["io.containerd.image.name"]).toBe("registry.example/web:1");
  const manifest = read(blob(digest));
  expect(manifest.layers.length).toBe(2);
  expect(read(blob(manifest.config.digest)).rootfs.diff_ids).toEqual(
    manifest.layers.map((layer: { digest: string }) => layer.digest),
  );
  for (const layer of manifest.layers) {
    expect(existsSync(join(out, blob(layer.digest)))).toBe(true);
    expect(execFileSync("sha256sum", [join(out, blob(layer.digest))], { encoding: "utf8" })).toContain(
      layer.digest.slice(7),
    );
  }
});
