// What a real API server said of every object that the shop becomes; recorded by record-render.ts.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { environments, rendered, type Verdicts } from "./rendered.ts";

const { server, verdicts } = JSON.parse(readFileSync(new URL("testdata/render.json", import.meta.url), "utf8")) as {
  server: string;
  verdicts: Verdicts;
};

test("the verdicts are of Kubernetes 1.34", () => expect(server).toMatch(/^v1\.34\./));

describe.each(environments)("rendered for environment %o", (environment) => {
  const objects = rendered(environment);

  test("there are objects", () => expect(objects.length).toBeGreaterThan(10));

  test.each(objects)("$name is accepted without a warning", ({ name, hash }) => {
    expect(verdicts[name]).toMatchObject({ hash, accepted: true, warnings: [] });
  });
});
