/**
 * Asks a real API server for its verdict on every case of src/rules/testdata and records it there.
 *
 *     node scripts/record-rules.ts <kubeconfig> <folder with the Gateway API's CustomResourceDefinitions>
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { systemClock } from "@flotilla/ambient";
import { type KubeObject, kindOf, type Resource, resources } from "@flotilla/objects";
import { parse } from "yaml";
import {
  changed,
  recordedCases,
  testdata,
  type Verdict,
  verdictOf,
  withoutStatus,
} from "../src/rules/recorded-cases.fixture.ts";

interface Kubeconfig {
  clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
  users: { user: { "client-certificate-data": string; "client-key-data": string } }[];
}

interface Answer {
  readonly code: number;
  readonly warnings: string[];
  readonly body: KubeObject & { message?: string; details?: { causes?: { field?: string }[] } };
}

const [kubeconfig = "", definitions = ""] = process.argv.slice(2);
const config = parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig;
const cluster = config.clusters[0]?.cluster;
const user = config.users[0]?.user;
if (!cluster || !user) throw new Error(`${kubeconfig} names no cluster or no user`);
const bytes = (base64: string) => Buffer.from(base64, "base64");

function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      new URL(path, cluster?.server),
      {
        method,
        ca: bytes(cluster?.["certificate-authority-data"] ?? ""),
        cert: bytes(user?.["client-certificate-data"] ?? ""),
        key: bytes(user?.["client-key-data"] ?? ""),
        headers: { "content-type": "application/json" },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          text += part;
        });
        response.on("end", () => {
          const header = response.headers.warning ?? "";
          const warnings = [...header.matchAll(/299 - ("(?:[^"\\]|\\.)*")/g)].map(([, quoted]) =>
            JSON.parse(quoted ?? ""),
          );
          resolve({ code: response.statusCode ?? 0, warnings, body: JSON.parse(text) as Answer["body"] });
        });
      },
    );
    asked.on("error", reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function pathOf({ group, version, plural, namespaced }: Resource, name = ""): string {
  const root = group ? `/apis/${group}/${version}` : `/api/${version}`;
  return `${root}${namespaced ? "/namespaces/default" : ""}/${plural}${name && `/${name}`}`;
}

const verdict = ({ code, body, warnings }: Answer): Verdict =>
  verdictOf(code < 300 ? { object: body } : { code, message: body.message, causes: body.details?.causes }, warnings);

const crds = resources.find(({ plural }) => plural === "customresourcedefinitions");
if (!crds) throw new Error("no resource customresourcedefinitions");
for (const file of readdirSync(definitions).filter((each) => each.startsWith("gateway.networking.k8s.io_")))
  await ask("POST", pathOf(crds), parse(readFileSync(join(definitions, file), "utf8")));
await new Promise<void>((resolve) => {
  systemClock.after(3000, resolve);
});

const recorded: Record<string, Verdict> = {};
for (const { name, create, update } of recordedCases()) {
  const resource = kindOf(create.apiVersion, create.kind);
  if (!resource) throw new Error(`${name}: no such kind`);
  if (recorded[name]) throw new Error(`two cases are called ${name}`);
  const options = "fieldValidation=Ignore";
  if (!update) {
    recorded[name] = verdict(await ask("POST", `${pathOf(resource)}?${options}&dryRun=All`, create));
    continue;
  }
  const created = await ask("POST", `${pathOf(resource)}?${options}`, create);
  if (created.code !== 201) throw new Error(`${name}: ${created.body.message}`);
  const place = pathOf(resource, create.metadata.name);
  // Whoever else writes it may be quicker than the next request.
  const { resourceVersion: _, ...metadata } = created.body.metadata;
  const object = changed({ ...created.body, metadata } as KubeObject, update);
  if (resource.group === "coordination.k8s.io" || resource.schema)
    object.metadata.resourceVersion = created.body.metadata.resourceVersion;
  const answer = await ask("PUT", `${place}?${options}&dryRun=All`, object);
  recorded[name] = verdict({ ...answer, body: answer.code < 300 ? withoutStatus(answer.body) : answer.body });
  await ask("DELETE", `${place}?gracePeriodSeconds=0&propagationPolicy=Background`);
}
writeFileSync(join(testdata, "recorded.json"), `${JSON.stringify(recorded, undefined, 1)}\n`);
console.log(`${Object.keys(recorded).length} verdicts`);
