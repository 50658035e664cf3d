import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "@flotilla/ambient";
import { expect, test } from "vitest";
import { Losses } from "../sink.ts";
import { SpanStore } from "./span-store.ts";

test("a process that is killed amid writing leaves what it had, and says that it was killed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "spans-killed-"));
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const fixture = fileURLToPath(new URL("killed.fixture.ts", import.meta.url));
  const child = spawn(process.execPath, [fixture, folder, traceId], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    const store = SpanStore.open({ folder, clock: systemClock, losses: new Losses() });
    expect(store.stats().recovered.clean).toBe(false);
    expect(store.stats().recovered.records).toBeGreaterThan(0);
    expect(await store.traces({ operation: "kept" })).toMatchObject([{ traceId, spans: 1 }]);
    expect(await store.trace(traceId)).toBeDefined();
    store.close();
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});
