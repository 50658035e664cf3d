// The agent and its kubelet API over real processes: hooks, attach, usage, static pods, and what is left of a life before.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep, systemClock, systemRandom } from "@flotilla/ambient";
import { type ControlPlane, createControlPlane, memoryPersistence } from "@flotilla/apiserver";
import type { Api } from "@flotilla/client";
import { Events, isReady, newObject, type Pod, Pods } from "@flotilla/objects";
import { afterEach, beforeEach, expect, test } from "vitest";
import WebSocket from "ws";
import { type Agent, startAgent } from "./agent.ts";
import type { Images } from "./images.ts";
import { processRuntime } from "./process-runtime.ts";
import type { StaticPod } from "./static-pods.ts";

const namespace = "default";
const token = "secret";
const node = (script: string) => ["node", "-e", script];
/** Says what it hears, and ends when told. */
const server = node(`
  process.on("SIGTERM", () => process.exit(0));
  process.stdin.on("data", (chunk) => console.log("heard " + String(chunk).trim()));
  require("node:http").createServer((request, response) => { console.log("asked " + request.url); response.end(); })
    .listen(3000, process.env.HOST, () => console.log("listening"));`);

let folder: string;
let control: ControlPlane;
let api: Api;
let agent: Agent;

const images: Images = {
  resolve: async () => ({ digest: "sha256:1", mounts: [], config: { workingDir: "/tmp", entrypoint: [], cmd: [] } }),
};
const start = (staticPods: readonly StaticPod[] = []) =>
  startAgent({
    api,
    clock: systemClock,
    random: systemRandom,
    runtime: processRuntime({
      clock: systemClock,
      stateDir: join(folder, "runtime"),
      nodeBinary: process.execPath,
    }),
    images,
    nodeName: "local",
    podCIDR: "127.96.202.0/24",
    stateDir: join(folder, "state"),
    kubelet: { port: 0, token },
    staticPods,
  });
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "processes-"));
  mkdirSync(join(folder, "shared"));
  const persistence = memoryPersistence();
  control = await createControlPlane({ clock: systemClock, random: systemRandom, persistence });
  api = control.api();
  agent = await start();
});
afterEach(async () => {
  await agent.stop({ skipPreStop: true, graceMs: 500 });
  await control.close();
  rmSync(folder, { recursive: true, force: true });
});

type Container = Partial<Pod["spec"]["containers"][number]>;
const create = (name: string, container: Container, spec: Partial<Pod["spec"]> = {}) =>
  api.write<Pod>({
    verb: "create",
    resource: Pods,
    object: newObject(Pods, {
      metadata: { name, namespace },
      spec: {
        nodeName: "local",
        automountServiceAccountToken: false,
        containers: [{ name: "main", image: "app", ...container }],
        ...spec,
      },
    }) as Pod,
  });
const main = (pod: Pod) => pod.status?.containerStatuses?.[0];
async function until<T>(look: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  let value = await look();
  for (let i = 0; i < 400 && !holds(value); i++) {
    await sleep(systemClock, 25);
    value = await look();
  }
  if (!holds(value)) throw new Error(`not within 10 s: ${JSON.stringify(value, null, 1)}`);
  return value;
}
const get = (name: string) => api.get(Pods, { namespace, name });
const ready = (name: string) => until(() => get(name), isReady);
const ask = async (path: string) =>
  (
    await fetch(`http://127.0.0.1:${agent.kubeletPort}${path}`, { headers: { Authorization: `Bearer ${token}` } })
  ).text();
const logs = (name: string, query = "") => ask(`/containerLogs/${namespace}/${name}/main${query}`);
const events = async (reason: string) =>
  (await api.list(Events, { namespace })).items.filter((each) => each.reason === reason).map(({ message }) => message);

test("a postStart command runs in the container, and readiness waits for it", async () => {
  const mounts = { volumeMounts: [{ name: "work", mountPath: "/work" }] };
  await create(
    "hooked",
    {
      command: ["sh", "-c", "while :; do sleep 0.05; [ -f $FILE/hooked ] && echo hooked && sleep 100; done"],
      env: [{ name: "FILE", value: "/work" }],
      lifecycle: { postStart: { exec: { command: ["sh", "-c", "sleep 0.3; touch $FILE/hooked"] } } },
      ...mounts,
    },
    { volumes: [{ name: "work", emptyDir: {} }], terminationGracePeriodSeconds: 1 },
  );
  await until(
    () => get("hooked"),
    (pod) => main(pod)?.state?.running !== undefined,
  );
  expect(isReady(await get("hooked"))).toBe(false);
  await ready("hooked");
  expect(await until(() => logs("hooked"), Boolean)).toBe("hooked\n");
});
test("a postStart request is sent to its host", async () => {
  await create("warm", {
    command: server,
    ports: [{ containerPort: 3000 }],
    readinessProbe: { tcpSocket: { port: 3000 }, periodSeconds: 1 },
  });
  const host = (await ready("warm")).status?.podIP;
  const lifecycle = { postStart: { httpGet: { host, port: 3000, path: "/warm-up" } } };
  await create("asking", { command: ["sleep", "100"], lifecycle }, { terminationGracePeriodSeconds: 1 });
  await ready("asking");
  expect(
    await until(
      () => logs("warm"),
      (text) => text.includes("asked"),
    ),
  ).toContain("asked /warm-up");
});
test("a postStart hook that fails ends the container, and says so", async () => {
  await create(
    "failing",
    {
      command: ["sleep", "100"],
      lifecycle: { postStart: { exec: { command: ["sh", "-c", "echo no such luck; exit 3"] } } },
    },
    { terminationGracePeriodSeconds: 1 },
  );
  await until(
    () => get("failing"),
    (pod) => (main(pod)?.restartCount ?? 0) > 0,
  );
  expect(
    await until(
      () => events("FailedPostStartHook"),
      (found) => found.length > 0,
    ),
  ).toEqual(["PostStartHook failed: no such luck"]);
  expect((await events("Killing"))[0]).toContain("failed postStart hook");
});
test("attach shows what the container prints from now on, and speaks to it", async () => {
  await create("open", { command: server, stdin: true });
  await ready("open");
  await until(
    () => logs("open"),
    (text) => text.includes("listening"),
  );
  const url = `ws://127.0.0.1:${agent.kubeletPort}/attach/${namespace}/open/main?input=1&output=1&error=1`;
  const socket = new WebSocket(url, "v5.channel.k8s.io", { headers: { Authorization: `Bearer ${token}` } });
  let said = "";
  socket.on("message", (data: Buffer) => {
    if (data[0] === 1) said += data.toString("utf8", 1);
  });
  await new Promise((resolve) => socket.once("open", resolve));
  socket.send(Buffer.from("\0good morning\n"));
  await until(async () => said, Boolean);
  expect(said).toBe("heard good morning\n");
  // Who detaches ends nothing.
  socket.close();
  await new Promise((resolve) => socket.once("close", resolve));
  expect(main(await get("open"))).toMatchObject({ ready: true, restartCount: 0 });
});
test("usage by pod and container, as a kubelet tells it", async () => {
  await create("busy", { command: node("for (;;);") }, { terminationGracePeriodSeconds: 1 });
  await ready("busy");
  interface Stats {
    cpu: { usageNanoCores: number; usageCoreNanoSeconds: number };
    memory: { workingSetBytes: number };
  }
  interface Summary {
    node: { nodeName: string } & Stats;
    pods: { podRef: { name: string }; containers: ({ name: string } & Stats)[] }[];
  }
  const busyOf = ({ pods }: Summary) => pods.find(({ podRef }) => podRef.name === "busy")?.containers[0];
  const summary = await until(
    async () => JSON.parse(await ask("/stats/summary")) as Summary,
    (found) => (busyOf(found)?.cpu.usageNanoCores ?? 0) > 0,
  );
  expect(busyOf(summary)?.name).toBe("main");
  expect(busyOf(summary)?.memory.workingSetBytes).toBeGreaterThan(1_000_000);
  expect(summary.node.nodeName).toBe("local");
  expect(summary.node.memory.workingSetBytes).toBeGreaterThanOrEqual(busyOf(summary)?.memory.workingSetBytes ?? 0);
  const text = await ask("/metrics/resource");
  expect(text).toMatch(
    /^container_cpu_usage_seconds_total\{container="main",namespace="default",pod="busy"\} [\d.]+ \d{13}$/m,
  );
});
test("logs of what ended before the agent was replaced can still be read", async () => {
  await create("done", { command: ["echo", "all done"] }, { restartPolicy: "Never" });
  await until(
    () => get("done"),
    (pod) => pod.status?.phase === "Succeeded",
  );
  await create("lasting", { command: ["sh", "-c", "echo started; sleep 100"] }, { terminationGracePeriodSeconds: 1 });
  await ready("lasting");
  await until(() => logs("lasting"), Boolean);
  await agent.stop({ skipPreStop: true, graceMs: 100 });
  agent = await start();
  await until(
    () => get("lasting"),
    (pod) => isReady(pod) && main(pod)?.restartCount === 1,
  );
  expect(await logs("done")).toBe("all done\n");
  expect(await logs("lasting", "?previous=true")).toBe("started\n");
});
test("static pods are real processes, started again when they are killed, and ended with the agent", async () => {
  await agent.stop();
  const pidFile = join(folder, "shared", "pid");
  const script = `require("fs").writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); console.log("up", require("fs").readFileSync("settings", "utf8")); setInterval(() => {}, 1000);`;
  const settings = join(folder, "shared", "settings");
  agent = await start([
    {
      name: "plane",
      command: [process.execPath, "-e", script],
      workingDir: join(folder, "shared"),
      files: [{ path: settings, content: "one" }],
    },
  ]);
  const pid = async () => (existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0);
  const first = await until(pid, Boolean);
  writeFileSync(settings, "spoilt");
  process.kill(first, "SIGKILL");
  const second = await until(pid, (now) => now !== 0 && now !== first);
  expect(agent.staticPods()).toMatchObject([{ name: "plane", restartCount: 1, last: { exitCode: 137 } }]);
  expect(await until(() => ask("/containerLogs/kube-system/plane-local/plane"), Boolean)).toBe("up one\n");
  const mirror = await until(
    () => api.list(Pods, { namespace: "kube-system" }),
    ({ items }) => items.some((pod) => main(pod)?.restartCount === 1),
  );
  expect(mirror.items.map(({ metadata }) => metadata.name)).toEqual(["plane-local"]);
  await agent.stop();
  expect(() => process.kill(second, 0)).toThrow("ESRCH");
});
