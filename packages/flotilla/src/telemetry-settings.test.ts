import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { App } from "@flotilla/objects";
import { afterEach, beforeEach, expect, test } from "vitest";
import { defaultSettings, readSettings, settingsController, writeSettings } from "./telemetry-settings.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "settings-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const app = (telemetry: unknown): App => ({
  apiVersion: "flotilla.dev/v1alpha1",
  kind: "App",
  metadata: { name: "shop", namespace: "shop" },
  spec: { services: { web: { source: ".", port: 3000 } }, environments: { local: { telemetry } } },
});
const decide = (telemetry: unknown) => settingsController.decide(app(telemetry), { now: new Date(0), failures: [] });

test("what the App says becomes settings", () =>
  expect(decide({ retention: { traces: { age: "1h", size: "1Mi" } } }).effects).toEqual([
    {
      to: "telemetry-settings",
      do: { retention: { traces: { age: 3_600_000, size: 1_048_576 }, logs: {}, metrics: {} } },
    },
  ]));

test("an App that says nonsense changes nothing, and is told", () =>
  expect(decide({ retention: { traces: { size: "many" } } })).toEqual({
    events: [expect.objectContaining({ type: "Warning", reason: "InvalidTelemetry" })],
  }));

test("settings are kept, and those that were never kept or cannot be read are the defaults", () => {
  const file = join(folder, "telemetry", "settings.json");
  expect(readSettings(file)).toEqual(defaultSettings);
  const settings = { ...defaultSettings, forward: { endpoint: "http://collector:4318" } };
  writeSettings(file, settings);
  expect(readSettings(file)).toEqual(settings);
  writeFileSync(file, "{");
  expect(readSettings(file)).toEqual(defaultSettings);
});
