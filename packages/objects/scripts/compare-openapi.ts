/**
 * Compares our OpenAPI documents with Kubernetes' own: `node scripts/compare-openapi.ts <k8s.io/kubernetes folder>`.
 * Descriptions and enums (the published documents have none) are left out. What remains different: DeleteOptions and WatchEvent
 * belong to fewer groups here, and Kubernetes has a bare reference for the few fields that it does not describe.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deepEqual } from "../src/equal.ts";
import { resources } from "../src/lookup.ts";
import { openApiV3 } from "../src/openapi.ts";
import { apiVersionOf } from "../src/resource.ts";

const [kubernetes] = process.argv.slice(2);
if (!kubernetes) {
  console.error("usage: node scripts/compare-openapi.ts <k8s.io/kubernetes folder>");
  process.exit(2);
}

type Json = Record<string, unknown>;

const ignored = new Set(["enum", "x-kubernetes-unions", "x-kubernetes-validations"]);

function bare(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => bare(item));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value)
    .filter(
      ([name, member]) =>
        key === "properties" || !(ignored.has(name) || (name === "description" && typeof member === "string")),
    )
    .map(([name, member]) => [name, bare(member, name)]);
  return Object.fromEntries(members);
}

const show = (value: unknown): string => JSON.stringify(value) ?? "nothing";

let equal = 0;
let different = 0;
for (const apiVersion of [...new Set(resources.map(apiVersionOf))].sort()) {
  const file = `${apiVersion.includes("/") ? `apis__${apiVersion.replace("/", "__")}` : `api__${apiVersion}`}_openapi.json`;
  const path = join(kubernetes, "api", "openapi-spec", "v3", file);
  if (!existsSync(path)) continue;
  const theirs = JSON.parse(readFileSync(path, "utf8")) as { components: { schemas: Json }; paths: Json };
  const ours = openApiV3(apiVersion, resources) as { components: { schemas: Json }; paths: Json };
  for (const [name, schema] of Object.entries(theirs.components.schemas)) {
    const mine = ours.components.schemas[name] as Json | undefined;
    const other = bare(schema) as Json;
    if (mine && deepEqual(bare(mine), other)) {
      equal++;
      continue;
    }
    if (!mine && /\.(Patch|WatchEvent)$/.test(name)) continue;
    different++;
    if (!mine) {
      console.log(`${apiVersion}: ${name} is missing`);
      continue;
    }
    for (const key of new Set([...Object.keys(mine), ...Object.keys(other)])) {
      if (key !== "properties" && !deepEqual(bare(mine[key]), other[key])) {
        console.log(`${name} ${key}: ours ${show(mine[key])}, theirs ${show(other[key]).slice(0, 200)}`);
      }
    }
    const properties = (mine.properties ?? {}) as Json;
    const others = (other.properties ?? {}) as Json;
    for (const key of new Set([...Object.keys(properties), ...Object.keys(others)])) {
      if (!deepEqual(bare(properties[key]), others[key])) {
        console.log(`${name}.${key}: ours ${show(properties[key])}, theirs ${show(others[key])}`);
      }
    }
  }
  for (const path of Object.keys(theirs.paths)) {
    if (!ours.paths[path] && !path.includes("/watch/") && !path.endsWith("/") && !path.endsWith("{path}")) {
      console.log(`${path} is missing`);
    }
  }
}
console.log(`${equal} schemas equal, ${different} different`);
