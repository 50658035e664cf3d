/**
 * What the App says of telemetry (retention, forwarding, another Prometheus), for the process that keeps it. The last is kept in
 * a file, so that the process starts with it also while the API does not answer.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type TelemetrySettings, telemetrySettings } from "@flotilla/app/telemetry-settings";
import { type Controller, watchMapped } from "@flotilla/client";
import { type App, Apps } from "@flotilla/objects";

export const settingsEffect = "telemetry-settings";

/** There is one App per cluster on a laptop; of several the first one decides. */
const key = { name: "telemetry" };

/** Its effect is the settings, whenever the App has changed. */
export const settingsController: Controller<App> = {
  name: settingsEffect,
  watches: [watchMapped(Apps, () => [key])],
  observe: (_, cache) => cache.list(Apps)[0],
  decide(app) {
    try {
      return { effects: [{ to: settingsEffect, do: telemetrySettings(app) }] };
    } catch (error) {
      // Edited past the check; what was set before stays.
      const message = `telemetry's settings cannot be read: ${(error as Error).message}`;
      return { events: [{ about: app, type: "Warning", reason: "InvalidTelemetry", message }] };
    }
  },
};

export const defaultSettings: TelemetrySettings = { retention: { traces: {}, logs: {}, metrics: {} } };

/** A file that cannot be read is as good as none: the App says it again. */
export function readSettings(file: string): TelemetrySettings {
  if (!existsSync(file)) return defaultSettings;
  try {
    return { ...defaultSettings, ...JSON.parse(readFileSync(file, "utf8")) };
  } catch {
    return defaultSettings;
  }
}

export function writeSettings(file: string, settings: TelemetrySettings): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, JSON.stringify(settings));
  renameSync(`${file}.new`, file);
}
