/** Our verdict on each case is the one that a real API server gave (testdata/recorded.json, by scripts/record-rules.ts). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type KubeObject, kindOf, StatusError, StorageClasses } from "@flotilla/objects";
import { beforeAll, expect, test } from "vitest";
import { type World, world } from "../registry/verbs.fixture.ts";
import {
  changed,
  type RecordedCase,
  recordedCases,
  testdata,
  type Verdict,
  verdictOf,
  withoutStatus,
} from "./recorded-cases.fixture.ts";

const recorded = JSON.parse(readFileSync(join(testdata, "recorded.json"), "utf8")) as Record<string, Verdict>;

let cluster: World;
beforeAll(async () => {
  cluster = await world();
  // A cluster that is empty has none.
  const { registry, done, context } = cluster;
  await done(registry.deleteCollection(StorageClasses, {}, {}, context));
});

async function ours({ create, update }: RecordedCase): Promise<Verdict> {
  const resource = kindOf(create.apiVersion, create.kind);
  if (!resource) throw new Error(`no kind ${create.kind}`);
  const { registry, done, context } = cluster;
  const warnings: string[] = [];
  const asked = { ...context, fieldValidation: "Ignore" as const, warn: (text: string) => void warnings.push(text) };
  const tried = { ...asked, dryRun: true };
  const namespace = resource.namespaced ? "default" : undefined;
  const answerTo = async (promise: Promise<KubeObject>): Promise<Verdict> => {
    try {
      return verdictOf({ object: await done(promise) }, warnings);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      const { code = 0, message, details } = error.status;
      return verdictOf({ code, message, causes: details?.causes }, warnings);
    }
  };
  if (!update) return answerTo(registry.create({ resource, namespace }, create, tried));
  const created = await done(registry.create({ resource, namespace }, create, asked));
  warnings.length = 0;
  const { resourceVersion: _, ...metadata } = created.metadata;
  const target = { resource, namespace, name: create.metadata.name };
  const object = changed({ ...created, metadata }, update);
  const verdict = await answerTo(registry.update(target, object, tried).then((answer) => withoutStatus(answer.object)));
  await done(registry.delete(target, { gracePeriodSeconds: 0 }, asked));
  return verdict;
}

test.each(recordedCases().map((each) => [each.name, each] as const))("%s", async (name, each) => {
  expect(JSON.parse(JSON.stringify(await ours(each)))).toEqual(recorded[name]);
});

test("every verdict is one of a case", () => {
  expect(Object.keys(recorded).sort()).toEqual(
    recordedCases()
      .map(({ name }) => name)
      .sort(),
  );
});
