import { Apps, ConfigMaps, Deployments, newObject, Secrets } from "@flotilla/objects";
import { expect, test } from "vitest";
import { contentOf, isBookkeeping, type Json } from "./content.ts";
import { differences, lineOf } from "./diff.ts";

const lines = (before: Json | undefined, after: Json | undefined) => differences(before, after).map(lineOf);

const digest = (digit: string) => `shop/web@sha256:${digit.repeat(64)}`;

test.each<[string, Json | undefined, Json | undefined, string[]]>([
  ["nothing", { a: 1 }, { a: 1 }, []],
  ["keys in another order", { a: 1, b: 2 }, { b: 2, a: 1 }, []],
  ["a number", { spec: { replicas: 1 } }, { spec: { replicas: 3 } }, ["spec.replicas: 1 → 3"]],
  ["what is new", { spec: {} }, { spec: { paused: true } }, ["spec.paused: (unset) → true"]],
  ["what is gone", { spec: { paused: true } }, { spec: {} }, ["spec.paused: true → (unset)"]],
  ["to nothing", { a: "x" }, { a: "" }, ['a: x → ""']],
  [
    "an item by its name, digests by their beginning",
    {
      containers: [
        { name: "web", image: digest("a") },
        { name: "log", image: "x" },
      ],
    },
    {
      containers: [
        { name: "web", image: digest("b") },
        { name: "log", image: "x" },
      ],
    },
    ["containers[web].image: shop/web@sha256:aaaaaaaaaaaa → shop/web@sha256:bbbbbbbbbbbb"],
  ],
  [
    "an item that is new",
    { env: [{ name: "A", value: "1" }] },
    {
      env: [
        { name: "B", value: "2" },
        { name: "A", value: "1" },
      ],
    },
    ['env[B]: (unset) → {"name":"B","value":"2"}'],
  ],
  [
    "items in another order",
    { env: [{ name: "A" }, { name: "B" }] },
    { env: [{ name: "B" }, { name: "A" }] },
    ["env: A, B → B, A"],
  ],
  [
    "items by their port",
    { ports: [{ port: 80 }] },
    { ports: [{ port: 80, nodePort: 3 }] },
    ["ports[80].nodePort: (unset) → 3"],
  ],
  [
    "items that nothing tells apart",
    { rules: [{ a: 1 }, { a: 1 }] },
    { rules: [{ a: 1 }, { a: 2 }] },
    ["rules[1].a: 1 → 2"],
  ],
  ["a list of words", { args: ["a", "b"] }, { args: ["a", "c"] }, ['args: ["a","b"] → ["a","c"]']],
  ["keys with dots", { labels: { "a.b/c": "1" } }, { labels: { "a.b/c": "2" } }, ['labels["a.b/c"]: 1 → 2']],
  ["one kind to another", { a: [1] }, { a: { b: 1 } }, ['a: [1] → {"b":1}']],
  ["one line of many", { f: "a\nb\nc" }, { f: "a\nx\nc" }, ["f: line 2: b → x"]],
  ["a line more", { f: "a\nc" }, { f: "a\nb\nc" }, ["f: line 2: (unset) → b"]],
  ["several lines", { f: "a\nb\nc\nd" }, { f: "a\nx\ny\nz\nd" }, ["f: from line 2, 2 lines → 3 lines"]],
  ["long values", { a: "x".repeat(500) }, { a: "y" }, [`a: ${"x".repeat(120)}… → y`]],
  ["null", { a: null }, { a: 1 }, ["a: null → 1"]],
  ["an object that is new", undefined, { a: 1 }, [': (unset) → {"a":1}']],
])("%s", (_, before, after, expected) => expect(lines(before, after)).toEqual(expected));

const key = new TextEncoder().encode("key");
const metadata = { namespace: "shop", name: "a" };
const changes = (before: Parameters<typeof contentOf>[0], after: Parameters<typeof contentOf>[0]) =>
  lines(contentOf(before, key), contentOf(after, key));

const secret = (data: Record<string, string>) => newObject(Secrets, { metadata, data });
const config = (data: Record<string, string>) => newObject(ConfigMaps, { metadata, data });
const variables = (...env: { name: string; value: string }[]) =>
  newObject(Deployments, {
    metadata,
    spec: { selector: {}, template: { spec: { containers: [{ name: "web", env }] } } },
  });

test("values of Secrets are never seen, their changes are", () => {
  const [before, after] = [
    secret({ user: "aHVudGVyMg==", old: "eA==" }),
    secret({ user: "aHVudGVyMw==", new: "eA==" }),
  ];
  expect(changes(before, after)).toEqual([
    "data.user: secret value changed",
    "data.old: secret value removed",
    "data.new: secret value set",
  ]);
  for (const object of [before, after]) expect(JSON.stringify(contentOf(object, key))).not.toMatch(/aHVudGVy|eA==/);
});

test.each<[string, string]>([
  ["DATABASE_PASSWORD", "hunter2"],
  ["API_KEY", "hunter2"],
  ["apiToken", "hunter2"],
  ["DATABASE_URL", "postgres://shop:hunter2@db/shop"],
])("what is called %s is hidden elsewhere, too", (name, value) => {
  for (const object of [variables({ name, value }), config({ [name]: value })])
    expect(JSON.stringify(contentOf(object, key))).not.toContain("hunter2");
  const [line = ""] = changes(variables({ name, value }), variables({ name, value: value.replace("2", "3") }));
  expect(line).toContain(name);
  expect(line).not.toMatch(/hunter/);
  const [added = ""] = changes(variables(), variables({ name, value }));
  expect(added).not.toMatch(/hunter/);
});

test("where a secret is may be seen", () => {
  const content = JSON.stringify(contentOf(config({ secretName: "db", TOKEN_FILE: "/run/token" }), key));
  expect(content).toContain('"secretName":"db"');
  expect(content).toContain("/run/token");
});

test("another key gives other hashes", () =>
  expect(contentOf(secret({ a: "b" }), key)).not.toEqual(contentOf(secret({ a: "b" }), new Uint8Array([1]))));

test("what the API and controllers keep about an object is no content", () => {
  const plain = config({ a: "1" });
  const kept = {
    ...plain,
    metadata: {
      ...plain.metadata,
      uid: "u",
      resourceVersion: "7",
      generation: 3,
      managedFields: [{ manager: "kubectl" }],
      annotations: {
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "deployment.kubernetes.io/revision": "3",
      },
    },
    status: { ready: 1 },
  };
  expect(contentOf(kept, key)).toEqual(contentOf(plain, key));
});

test.each<[string, unknown, boolean]>([
  ["a revision", { "f:metadata": { "f:annotations": { "f:deployment.kubernetes.io/revision": {} } } }, true],
  ["an annotation", { "f:metadata": { "f:annotations": { "f:team": {} } } }, false],
  ["labels too", { "f:metadata": { "f:annotations": { "f:flotilla.dev/sync": {} }, "f:labels": {} } }, false],
  ["a spec too", { "f:metadata": { "f:annotations": { "f:flotilla.dev/sync": {} } }, "f:spec": {} }, false],
  ["a spec", { "f:spec": {} }, false],
  ["nothing that is known", undefined, false],
])("who wrote %s wrote bookkeeping only: %#", (_, fields, is) => expect(isBookkeeping(fields)).toBe(is));

test("of an App's status the versions count", () => {
  const app = (version: string, ready: number) =>
    newObject(Apps, { metadata, spec: {}, status: { services: { web: { version, ready } } } });
  expect(changes(app("v1", 0), app("v1", 1))).toEqual([]);
  expect(changes(app("v1", 1), app("v2", 1))).toEqual(["versions.web: v1 → v2"]);
});

test("long texts are kept as a hash, and still seen to change", () => {
  const text = (last: string) => "x".repeat(100_000) + last;
  const [before, after] = [config({ f: text("a") }), config({ f: text("b") })];
  expect(JSON.stringify(contentOf(before, key)).length).toBeLessThan(300);
  expect(changes(before, after)).toEqual([`data.f: ${"x".repeat(80)}… → ${"x".repeat(80)}…`]);
  expect(changes(config({ f: `a\n${text("a")}` }), config({ f: "a\nb" }))).toEqual([
    `data.f: a⏎${"x".repeat(78)}… → a⏎b`,
  ]);
});
