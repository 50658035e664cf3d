// From objects of an API to the records that a sink gets, also across restarts.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom, systemClock } from "@flotilla/ambient";
import {
  Apps,
  ConfigMaps,
  Deployments,
  EndpointSlices,
  type Event,
  Events,
  type KubeObject,
  Leases,
  newObject,
  Pods,
  type Resource,
  Secrets,
} from "@flotilla/objects";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TinyApi } from "../../../client/src/tiny-api.fixture.ts";
import { attribute } from "../attributes.ts";
import { decodeLogs } from "../otlp/codec.ts";
import type { LogRecord, Resource as OtlpResource } from "../otlp/types.ts";
import { UnavailableError } from "../sink.ts";
import { type Marks, startMarks } from "./marks.ts";

const kinds = [Apps, ConfigMaps, Secrets, Deployments, Pods, EndpointSlices, Leases, Events] as readonly Resource[];

let api: TinyApi;
let folder: string;
let marks: Marks | undefined;
let found: { resource: OtlpResource; record: LogRecord }[];
let unavailable: boolean;
let troubles: string[];

beforeEach(() => {
  api = new TinyApi();
  folder = mkdtempSync(join(tmpdir(), "marks-"));
  found = [];
  unavailable = false;
  troubles = [];
});
afterEach(async () => {
  await marks?.stop();
  marks = undefined;
  rmSync(folder, { recursive: true });
});

const file = () => join(folder, "deep", "seen.json");

async function start(served = kinds): Promise<void> {
  marks = startMarks({
    api,
    resources: async () => served,
    clock: systemClock,
    random: seededRandom(1),
    file: file(),
    log: ({ message }) => void troubles.push(message),
    sink: {
      logs(request) {
        if (unavailable) throw new UnavailableError("the disk is full");
        for (const { resource = {}, scopeLogs = [] } of decodeLogs(request).resourceLogs ?? [])
          for (const { logRecords = [] } of scopeLogs)
            for (const record of logRecords) found.push({ resource, record });
        return { taken: 0, rejected: 0 };
      },
    },
  });
  await marks.started;
}

async function restart(): Promise<void> {
  await marks?.stop();
  found = [];
  await start();
}

const lines = () =>
  found.map(({ record: { attributes, body } }) => {
    const of = (key: string) => attribute(attributes, key);
    const what = of("flotilla.change.what") ?? of("k8s.event.reason");
    return `${of("k8s.object.kind")} ${of("k8s.object.name")} ${what}: ${body?.stringValue}`;
  });

/** A look comes after a moment in which changes are gathered; what must not come is waited for as long. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 150));

const metadata = (name: string, rest: Partial<KubeObject["metadata"]> = {}) => ({ namespace: "shop", name, ...rest });
const config = (name: string, value: string, rest: Partial<KubeObject["metadata"]> = {}) =>
  newObject(ConfigMaps, { metadata: metadata(name, rest), data: { value } });
const revisionNoted = { "f:metadata": { "f:annotations": { ".": {}, "f:deployment.kubernetes.io/revision": {} } } };
const deployment = (image: string) =>
  newObject(Deployments, {
    metadata: metadata("web", {
      labels: { "app.kubernetes.io/name": "web", "app.kubernetes.io/part-of": "shop" },
      managedFields: [
        { manager: "kubectl", time: "2026-01-01T00:00:07Z" },
        { manager: "app", time: "2026-01-01T00:00:05Z" },
        { manager: "deployment", time: "2026-01-01T00:00:09Z", subresource: "status" },
        { manager: "deployment", time: "2026-01-01T00:00:09Z", fieldsV1: revisionNoted },
      ],
    }),
    spec: { selector: {}, template: { spec: { containers: [{ name: "web", image }] } } },
  });
const event = (count: number, rest: Partial<Event> = {}) =>
  newObject(Events, {
    metadata: metadata("web.1"),
    involvedObject: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web", uid: "u" },
    reason: "FailedCreate",
    message: "no room",
    type: "Warning",
    count,
    lastTimestamp: `2026-01-01T00:00:0${count}Z`,
    source: { component: "agent" },
    ...rest,
  });

test("what is created, changed and deleted is told, with who and what", async () => {
  await start();
  api.put(Deployments, deployment("web:1"));
  await expect
    .poll(lines)
    .toEqual(["Deployment web created: created\nspec.template.spec.containers[web].image: web:1"]);
  const put = api.put(Deployments, deployment("web:2"));
  await expect
    .poll(() => lines()[1])
    .toBe("Deployment web changed: spec.template.spec.containers[web].image: web:1 → web:2");
  api.drop(Deployments, put);
  await expect.poll(() => lines()[2]).toBe("Deployment web deleted: deleted");
  const [, changed] = found;
  expect(changed?.record).toMatchObject({ eventName: "flotilla.change", severityNumber: 9 });
  const of = (key: string) => attribute(changed?.record.attributes, key);
  expect([
    of("flotilla.change.who"),
    of("k8s.object.namespace"),
    of("k8s.object.uid"),
    of("k8s.object.api_version"),
  ]).toEqual(["kubectl", "shop", put.metadata.uid, "apps/v1"]);
  expect(of("flotilla.change.fields")).toBe("spec.template.spec.containers[web].image");
  const about = (key: string) => attribute(changed?.resource.attributes, key);
  expect([about("service.name"), about("service.namespace"), about("k8s.namespace.name")]).toEqual([
    "web",
    "shop",
    "shop",
  ]);
});

test("what runs is told before how it is labelled", async () => {
  await start();
  const web = deployment("web:1");
  api.put(Deployments, web);
  await expect.poll(lines).toHaveLength(1);
  const next = deployment("web:2");
  api.put(Deployments, { ...next, metadata: { ...next.metadata, labels: { ...next.metadata.labels, a: "b" } } });
  await expect
    .poll(() => lines()[1]?.split("\n"))
    .toEqual([
      "Deployment web changed: spec.template.spec.containers[web].image: web:1 → web:2",
      "labels.a: (unset) → b",
    ]);
});

test("what says nothing new is not told: status, records of controllers, what follows from something else", async () => {
  await start();
  const web = deployment("web:1");
  api.put(Deployments, web);
  await expect.poll(lines).toHaveLength(1);
  api.put(Deployments, { ...web, status: { replicas: 1 } });
  api.put(Leases, newObject(Leases, { metadata: metadata("lock"), spec: {} }));
  api.put(EndpointSlices, newObject(EndpointSlices, { metadata: metadata("web"), addressType: "IPv4", endpoints: [] }));
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-1", uid: "r", controller: true };
  api.put(
    Pods,
    newObject(Pods, { metadata: metadata("web-1-a", { ownerReferences: [owner] }), spec: { containers: [] } }),
  );
  api.put(ConfigMaps, config("system", "x", { namespace: "kube-system" }));
  await settled();
  expect(lines()).toHaveLength(1);
});

test("what an App became is told, although the App controls it", async () => {
  await start();
  const owner = { apiVersion: "flotilla.dev/v1alpha1", kind: "App", name: "shop", uid: "a", controller: true };
  api.put(ConfigMaps, config("web", "x", { ownerReferences: [owner] }));
  api.put(Apps, newObject(Apps, { metadata: metadata("shop"), spec: {} }));
  await expect.poll(() => lines().sort()).toEqual(["App shop created: created", "ConfigMap web created: created"]);
  const app = found.find(({ record }) => attribute(record.attributes, "k8s.object.kind") === "App");
  expect(attribute(app?.resource.attributes, "service.namespace")).toBe("shop");
});

test("an object that takes the place of another is both deleted and created", async () => {
  await start();
  api.put(ConfigMaps, config("a", "1", { uid: "first" }));
  await expect.poll(lines).toHaveLength(1);
  api.hold(ConfigMaps);
  api.drop(ConfigMaps, config("a", "1", { uid: "first" }));
  api.put(ConfigMaps, config("a", "1", { uid: "second" }));
  api.release();
  await expect.poll(() => lines().slice(1)).toEqual(["ConfigMap a deleted: deleted", "ConfigMap a created: created"]);
});

test("values of Secrets are in no record and in no file", async () => {
  await start();
  const secret = (password: string) => newObject(Secrets, { metadata: metadata("db"), data: { password } });
  api.put(Secrets, secret("aHVudGVyMg=="));
  await expect.poll(lines).toHaveLength(1);
  api.put(Secrets, secret("aHVudGVyMw=="));
  await expect.poll(() => lines()[1]).toBe("Secret db changed: data.password: secret value changed");
  await marks?.stop();
  expect(JSON.stringify(found) + readFileSync(file(), "utf8")).not.toContain("aHVudGVy");
  expect(statSync(file()).mode & 0o777).toBe(0o600);
});

test("after a restart nothing is told twice, and what happened meanwhile is", async () => {
  api.put(ConfigMaps, config("same", "1"));
  const gone = api.put(ConfigMaps, config("gone", "1"));
  api.put(ConfigMaps, config("changed", "1"));
  api.put(Secrets, newObject(Secrets, { metadata: metadata("secret"), data: { a: "eA==" } }));
  api.put(Events, event(1));
  await start();
  await expect.poll(lines).toHaveLength(5);
  await marks?.stop();
  api.drop(ConfigMaps, gone);
  const managedFields = [{ manager: "kubectl", time: "2026-01-01T00:01:00Z" }];
  api.put(ConfigMaps, config("changed", "2", { managedFields }));
  api.put(ConfigMaps, config("fresh", "1", { creationTimestamp: "2026-01-01T00:02:00Z" }));
  api.put(Events, event(3));
  await restart();
  const expected = [
    "ConfigMap changed changed: data.value: 1 → 2",
    "ConfigMap fresh created: created",
    "ConfigMap gone deleted: deleted",
    "Deployment web FailedCreate: no room",
  ];
  await expect.poll(() => lines().sort()).toEqual(expected);
  const at = (name: string) =>
    found.find(({ record }) => attribute(record.attributes, "k8s.object.name") === name)?.record.timeUnixNano;
  // Their own times, not that of the restart.
  expect([at("changed"), at("fresh"), at("web")].map((nano) => new Date(Number(nano) / 1e6).toISOString())).toEqual([
    "2026-01-01T00:01:00.000Z",
    "2026-01-01T00:02:00.000Z",
    "2026-01-01T00:00:03.000Z",
  ]);
  await restart();
  await settled();
  expect(lines()).toEqual([]);
});

test("what cannot be listed for now is not taken for deleted", async () => {
  api.put(ConfigMaps, config("a", "1"));
  await start();
  await expect.poll(lines).toHaveLength(1);
  await marks?.stop();
  found = [];
  await start(kinds.filter((kind) => kind !== (ConfigMaps as Resource)));
  await settled();
  expect(lines()).toEqual([]);
});

test("Events are told with what they are about, again when they are repeated, not when they expire", async () => {
  api.put(Deployments, deployment("web:1"));
  await start();
  await expect.poll(lines).toHaveLength(1);
  api.put(Events, event(1));
  await expect.poll(lines).toHaveLength(2);
  const repeated = api.put(Events, event(2));
  await expect.poll(lines).toHaveLength(3);
  api.put(Events, { ...repeated, metadata: { ...repeated.metadata, annotations: { a: "b" } } });
  api.drop(Events, repeated);
  await settled();
  expect(lines()).toHaveLength(3);
  const { record, resource } = found[2] as (typeof found)[number];
  expect(record).toMatchObject({ eventName: "k8s.event", severityText: "WARN", body: { stringValue: "no room" } });
  const of = (key: string) => attribute(record.attributes, key);
  expect(["reason", "type", "count", "reporter"].map((key) => of(`k8s.event.${key}`))).toEqual([
    "FailedCreate",
    "Warning",
    "2",
    "agent",
  ]);
  expect([of("k8s.object.kind"), of("k8s.object.name"), of("k8s.object.uid")]).toEqual(["Deployment", "web", "u"]);
  expect(attribute(resource.attributes, "service.name")).toBe("web");
});

test("a sink that can take nothing is asked again until it can", async () => {
  unavailable = true;
  await start();
  api.put(ConfigMaps, config("a", "1"));
  await settled();
  unavailable = false;
  await expect.poll(lines, { timeout: 10_000 }).toEqual(["ConfigMap a created: created"]);
});

test("a damaged file is told, and everything begins anew", async () => {
  api.put(ConfigMaps, config("a", "1"));
  await start();
  await expect.poll(lines).toHaveLength(1);
  await marks?.stop();
  writeFileSync(file(), readFileSync(file(), "utf8").slice(0, -5));
  troubles = [];
  await restart();
  await expect.poll(lines).toEqual(["ConfigMap a created: created"]);
  expect(troubles).toEqual([expect.stringContaining("cannot be read")]);
});
