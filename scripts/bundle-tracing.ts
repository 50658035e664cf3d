/**
 * npm run bundle:tracing: makes the one file of `packages/node/src/tracing` and of the parts of OpenTelemetry's SDK that it uses.
 * It is kept in the repository, because containers of a checkout load it as those of the published package do; a test says when it
 * is not what the sources make.
 */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "..");

export const bundledTracing: string = join(root, "packages/node/src/preload/generated/tracing.cjs");

const banner = `/*
 * Made by scripts/bundle-tracing.ts of packages/node/src/tracing and of OpenTelemetry for JavaScript
 * (Copyright The OpenTelemetry Authors, Apache License 2.0, https://github.com/open-telemetry/opentelemetry-js).
 */`;

export async function bundleTracing(): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["packages/node/src/tracing/start.ts"],
    bundle: true,
    minify: true,
    format: "cjs",
    platform: "node",
    // Programs in containers may bring an older Node.js than ours.
    target: "node20",
    mainFields: ["module", "main"],
    banner: { js: banner },
    legalComments: "none",
    write: false,
    logLevel: "warning",
  });
  return outputFiles[0]?.text ?? "";
}

if (import.meta.main) {
  const text = await bundleTracing();
  writeFileSync(bundledTracing, text);
  console.log(`${bundledTracing}: ${Math.round(text.length / 1024)} KiB`);
}
