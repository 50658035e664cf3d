// The house of ARCHITECTURE.md, as a test: imports go down only.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const packages = new URL("../packages", import.meta.url).pathname;

/** Packages by layer. A package may import from lower layers; `within` lists the allowed arrows inside a layer. */
const layers = [
  ["objects", "patch", "ambient"],
  ["client"],
  ["apiserver", "workloads", "node", "network", "telemetry", "image"],
  ["app", "release", "scale", "gitops", "chaos", "console"],
  ["flotilla"],
];
const within = new Set(["patch -> objects"]);
const layerOf = (name: string) => layers.findIndex((layer) => layer.includes(name));

const sources = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.includes("node_modules") && !file.includes("testdata"))
    .map((file) => join(folder, file));

const imported = (file: string) =>
  [...readFileSync(file, "utf8").matchAll(/(?:from|import)\s*\(?\s*"(?:@flotilla\/)([a-z]+)[/"]/g)].map(
    (match) => match[1] as string,
  );

const names = readdirSync(packages);
// Tests and shared cases may use the testkit and what it brings; what is published may not.
const published = (name: string) =>
  sources(join(packages, name, "src")).filter((file) => !/\.(test|cases)\.ts$/.test(file));

test("every package has a layer", () => {
  expect(names.filter((name) => name !== "testkit" && layerOf(name) < 0)).toEqual([]);
});

test.each(names.filter((name) => name !== "testkit"))("%s imports only from below", (name) => {
  const wrong = published(name).flatMap((file) =>
    imported(file)
      .filter(
        (other) =>
          other !== name &&
          !within.has(`${name} -> ${other}`) &&
          !(layerOf(other) >= 0 && layerOf(other) < layerOf(name)),
      )
      .map((other) => `${file.slice(packages.length + 1)} imports ${other}`),
  );
  expect(wrong).toEqual([]);
});

/** Doors beside the index, for those who must not load the whole package; each is stated in its package.json. */
const doors = (name: string): string[] =>
  Object.keys((JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8")) as { exports: object }).exports);

test.each(names)("%s enters others by their stated doors, and its index lists names", (name) => {
  const wrong = published(name).flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/from "@flotilla\/([a-z]+)(\/[^"]+)"/g)]
      .filter(([, other = "", path]) => !doors(other).includes(`.${path}`))
      .map(([text]) => `${file.slice(packages.length + 1)}: ${text}`),
  );
  expect(wrong).toEqual([]);
  expect(readFileSync(join(packages, name, "src", "index.ts"), "utf8")).not.toMatch(/export \*/);
});
