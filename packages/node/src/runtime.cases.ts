/** What every runtime promises. Each implementation runs these with commands of its own that behave as named. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { specOf } from "./runtime.fixtures.ts";
import type { Runtime, RuntimeEvent } from "./runtime.ts";

export interface RuntimeUnderTest {
  readonly name: string;
  make(folder: string): Runtime;
  /** Lets `ms` pass for the runtime. */
  pass(ms: number): Promise<void>;
  /** Commands that run until told to end, ignore SIGTERM, end with code 3 by themselves, do not exist. */
  readonly commands: { serve: string[]; stubborn: string[]; fails: string[]; missing: string[]; hungry: string[] };
}

export function runtimeCases({ name, make, pass, commands }: RuntimeUnderTest): void {
  describe(`runtime: ${name}`, () => {
    let folder: string;
    let runtime: Runtime;
    let events: RuntimeEvent[];
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "runtime-"));
      runtime = make(folder);
      events = [];
      runtime.watch((event) => events.push(event));
    });
    afterEach(async () => {
      await runtime.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const end = async () => {
      for (let i = 0; i < 100 && events.length === 0; i++) await pass(50);
      return events;
    };
    /** Resolves `promise` while time passes. */
    const meanwhile = async (promise: Promise<unknown>) => {
      let done = false;
      void promise.finally(() => {
        done = true;
      });
      for (let i = 0; i < 200 && !done; i++) await pass(50);
      await promise;
    };

    test("lists what runs, and nothing after it was stopped", async () => {
      await runtime.start(specOf(folder, "a", commands.serve));
      expect((await runtime.list()).map(({ id }) => id)).toEqual(["a"]);
      await meanwhile(runtime.stop("a", 5000));
      expect(await runtime.list()).toEqual([]);
      expect(events).toHaveLength(1);
    });
    test("tells the exit code", async () => {
      await runtime.start(specOf(folder, "a", commands.fails));
      expect(await end()).toEqual([{ type: "exited", id: "a", exit: { exitCode: 3 } }]);
    });
    test("kills what ignores SIGTERM, after its grace", async () => {
      await runtime.start(specOf(folder, "a", commands.stubborn));
      await pass(200);
      await meanwhile(runtime.stop("a", 300));
      expect(events).toEqual([{ type: "exited", id: "a", exit: { exitCode: 137 } }]);
    });
    test("kills at once with a grace of zero", async () => {
      await runtime.start(specOf(folder, "a", commands.serve));
      await meanwhile(runtime.stop("a", 0));
      expect(events).toEqual([{ type: "exited", id: "a", exit: { exitCode: 137 } }]);
    });
    test("refuses a command that does not exist, and leaves nothing", async () => {
      await expect(runtime.start(specOf(folder, "a", commands.missing))).rejects.toThrow("executable file not found");
      expect(await runtime.list()).toEqual([]);
    });
    test("ends what takes more memory than its limit as OOMKilled", async () => {
      await runtime.start(specOf(folder, "a", commands.hungry, { memoryBytes: 64 * 1024 * 1024 }));
      expect(await end()).toEqual([{ type: "exited", id: "a", exit: { exitCode: 137, reason: "OOMKilled" } }]);
    });
    test("does not mind to stop what is unknown", () => runtime.stop("nobody", 1000));
    test("leaves nothing when closed", async () => {
      await runtime.start(specOf(folder, "a", commands.serve));
      await runtime.start(specOf(folder, "b", commands.stubborn));
      await runtime.close();
      expect(await runtime.list()).toEqual([]);
    });
    test("runs a command in it", async () => {
      await runtime.start(specOf(folder, "a", commands.serve));
      const session = await runtime.exec("a", ["sh", "-c", "echo $GREETING; exit 4"], {});
      const [out, code] = await Promise.all([text(session.stdout), session.exited]);
      expect({ out, code }).toEqual({ out: "hello\n", code: 4 });
    });
    test("refuses to run a command in what does not run", () =>
      expect(runtime.exec("nobody", ["true"], {})).rejects.toThrow("does not run"));
  });
}
