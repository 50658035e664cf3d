import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const run = (preload: string, code: string, env: Record<string, string> = {}) => {
  const options = { encoding: "utf8", env: { PATH: process.env.PATH, ...env } } as const;
  const args = ["--require", join(import.meta.dirname, preload), "--input-type=module", "-e", code];
  const { stdout, stderr } = spawnSync(process.execPath, args, options);
  expect(stderr).toBe("");
  return stdout.trim();
};

test("importing node:http loads no HTTP client", () =>
  expect(
    run("lazy-http.cjs", `import "node:http"; console.log(process.moduleLoadList.some((name) => /undici/.test(name)))`),
  ).toBe("false"));

test("what stands in for WebSocket is used as the real one", () =>
  expect(
    run(
      "lazy-http.cjs",
      `import { MessageEvent, WebSocket } from "node:http";
       class Mine extends WebSocket {}
       const socket = new Mine("ws://127.0.0.1:9");
       socket.onerror = () => {};
       const { WebSocket: real } = globalThis;
       console.log(socket instanceof Mine, socket instanceof WebSocket, socket instanceof real, WebSocket.OPEN,
         new real("ws://127.0.0.1:9") instanceof WebSocket, new MessageEvent("x", { data: 1 }).data);
       process.exit();`,
    ),
  ).toBe("true true true 1 true 1"));

test("compiled code is kept when the process is killed later", () => {
  const cache = mkdtempSync(join(tmpdir(), "compile-"));
  try {
    run("container.cjs", `setTimeout(() => process.kill(process.pid, "SIGKILL"), 2500);`, {
      NODE_COMPILE_CACHE: cache,
    });
    expect(readdirSync(cache)).not.toEqual([]);
  } finally {
    rmSync(cache, { recursive: true });
  }
});
