import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bundledTracing, bundleTracing } from "../../../../scripts/bundle-tracing.ts";

test("the bundle is made of these sources; `npm run bundle:tracing` makes it", async () =>
  expect(readFileSync(bundledTracing, "utf8") === (await bundleTracing())).toBe(true));
