import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openCluster, readCluster } from "./cluster.ts";
import { CommandError } from "./errors.ts";
import { freePort } from "./free-port.ts";
import { stateFolder } from "./state-folder.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "cluster-"));
  vi.stubEnv("XDG_STATE_HOME", join(home, "state"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});
const app = (name: string) => {
  mkdirSync(join(home, name), { recursive: true });
  return stateFolder(join(home, name));
};

test("identity, range, ports and tokens are kept from run to run", async () => {
  const port = await freePort(18_400);
  const made = await openCluster(app("a"), port);
  expect(await openCluster(app("a"), port)).toEqual(made);
  expect(readCluster(app("a"))).toEqual(made);
  expect(made.ports.gateway).toBe(port);
  expect(statSync(app("a").cluster).mode & 0o777).toBe(0o600);
});
test("a port that somebody else has taken is left to them, and nothing else changes", async () => {
  const made = await openCluster(app("a"), await freePort(18_420));
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(made.ports.api, "127.0.0.1", resolve));
  const again = await openCluster(app("a"), made.ports.gateway).finally(() => other.close());
  expect(again.ports.api).not.toBe(made.ports.api);
  expect({ ...again, ports: { ...again.ports, api: made.ports.api } }).toEqual(made);
});
test("telemetry's ports are the standard ones or the next free ones, each another", async () => {
  const others = [4317, 4318].map((port) =>
    createServer()
      .on("error", () => {})
      .listen(port, "127.0.0.1"),
  );
  await Promise.all(
    others.map((other) => new Promise((resolve) => other.once("listening", resolve).once("error", resolve))),
  );
  const { ports } = await openCluster(app("a"), 0).finally(() => others.map((other) => other.close()));
  expect(Math.min(ports.otlpHttp, ports.otlpGrpc)).toBeGreaterThan(4318);
  expect(new Set(Object.values(ports)).size).toBe(6);
});
test("clusters that start at once have ports of their own, though nobody listens yet", async () => {
  const [a, b] = await Promise.all([openCluster(app("a"), 18_460), openCluster(app("b"), 18_460)]);
  const ports = [...Object.values(a.ports), ...Object.values(b.ports)];
  expect(new Set(ports).size).toBe(ports.length);
});
test("a cluster from before there was telemetry gets what it lacks, and keeps the rest", async () => {
  const made = await openCluster(app("a"), 0);
  const { telemetry: _, ...tokens } = made.tokens;
  const { api, kubelet, gateway } = made.ports;
  writeFileSync(app("a").cluster, JSON.stringify({ ...made, tokens, ports: { api, kubelet, gateway } }));
  const opened = await openCluster(app("a"), gateway);
  expect(opened).toMatchObject({ id: made.id, tokens, ports: { api, kubelet, gateway } });
  expect(opened.tokens.telemetry).toMatch(/^[\w-]{32}$/);
});
test("clusters side by side have ranges of their own, also one that cannot be read", async () => {
  const first = await openCluster(app("a"), 0);
  writeFileSync(app("a").cluster, "{");
  const others = await Promise.all(["b", "c"].map((name) => openCluster(app(name), 0)));
  expect(new Set([first, ...others].map(({ range }) => range)).size).toBe(3);
});
test.each(["{", "{}", '"text"', "null", '{"id":"x","range":1,"ports":{"api":1}}'])(
  "what is damaged is refused, and left as it is: %s",
  async (text) => {
    const folder = app("a");
    mkdirSync(folder.root);
    writeFileSync(folder.cluster, text);
    await expect(openCluster(folder, 0)).rejects.toThrow(CommandError);
    expect(() => readCluster(folder)).toThrow(/cluster\.json is damaged; nothing was deleted.*--reset/);
    expect(readFileSync(folder.cluster, "utf8")).toBe(text);
  },
);
