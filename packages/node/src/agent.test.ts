import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep, systemClock, systemRandom } from "@flotilla/ambient";
import { type ControlPlane, createControlPlane, memoryPersistence, type TokenIssuer } from "@flotilla/apiserver";
import type { Api } from "@flotilla/client";
import {
  ConfigMaps,
  Events,
  isReady,
  Leases,
  Nodes,
  newObject,
  type Pod,
  Pods,
  Secrets,
  ServiceAccounts,
  Services,
} from "@flotilla/objects";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { type Agent, startAgent } from "./agent.ts";
import { ImageNotFound, type Images } from "./images.ts";
import { namespacesWork } from "./namespaces.ts";
import { processRuntime } from "./process-runtime.ts";
import type { Runtime } from "./runtime.ts";

const namespace = "default";
const token = "secret";
const variants = namespacesWork(process.getuid?.() !== 0) ? (["namespaced", "plain"] as const) : (["plain"] as const);

const asRoot = process.getuid?.() === 0;
const sysctl = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
const lowPorts = existsSync(sysctl) ? Number(readFileSync(sysctl, "utf8")) : 1024;

const server = `
  const { createServer } = require("node:http");
  createServer((request, response) => response.end(process.env.GREETING ?? "hello")).listen(Number(process.env.PORT), () => console.log("listening"));
  process.on("SIGTERM", () => process.exit(0));`;

const tokens: TokenIssuer = {
  issue: ({ serviceAccount: { namespace, name }, expirationSeconds }) => ({
    token: `token of ${namespace}/${name}`,
    expirationTimestamp: new Date(systemClock.now() + expirationSeconds * 1000).toISOString(),
  }),
};

describe.each(variants)("the agent runs pods of the API (%s)", (variant) => {
  let folder: string;
  let control: ControlPlane;
  let api: Api;
  let agent: Agent;

  const images: Images = {
    async resolve(reference) {
      if (reference.startsWith("missing")) throw new ImageNotFound(`no image ${reference}; build it first`);
      return {
        digest: "sha256:1",
        mounts: [{ source: join(folder, "app"), target: "/app", readOnly: true }],
        config: { workingDir: "/app", entrypoint: ["node"], cmd: ["server.cjs"] },
      };
    },
  };
  let runtime: Runtime;
  const start = async () => {
    runtime = processRuntime({
      clock: systemClock,
      stateDir: join(folder, "runtime"),
      nodeBinary: process.execPath,
      variant,
    });
    return startAgent({
      api,
      clock: systemClock,
      random: systemRandom,
      runtime,
      images,
      nodeName: "local",
      podCIDR: variant === "plain" ? "127.96.201.0/24" : "127.96.200.0/24",
      stateDir: join(folder, "state"),
      kubelet: { port: 0, token },
    });
  };
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "agent-"));
    mkdirSync(join(folder, "app"));
    writeFileSync(join(folder, "app/server.cjs"), server);
    control = await createControlPlane({
      clock: systemClock,
      random: systemRandom,
      persistence: memoryPersistence(),
      certificateAuthority: "the authority",
      tokens,
    });
    api = control.api();
    agent = await start();
  });
  afterEach(async () => {
    await agent.stop({ skipPreStop: true, graceMs: 500 });
    await control.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const create = (
    name: string,
    container: Partial<Pod["spec"]["containers"][number]>,
    spec: Partial<Pod["spec"]> = {},
  ) =>
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
  const get = (name: string) => api.get(Pods, { namespace, name });
  const until = async (name: string, holds: (pod: Pod) => boolean): Promise<Pod> => {
    let pod = await get(name);
    for (let i = 0; i < 200; i++) {
      if (holds(pod)) return pod;
      await sleep(systemClock, 25);
      pod = await get(name);
    }
    throw new Error(`not within 5 s: ${JSON.stringify(pod.status, null, 1)}`);
  };
  const main = (pod: Pod) => pod.status?.containerStatuses?.[0];
  const gone = async (name: string) => {
    for (let i = 0; i < 200; i++) {
      if (!(await get(name).catch(() => undefined))) return;
      await sleep(systemClock, 25);
    }
    throw new Error(`${name} is still there`);
  };
  const kubelet = (path: string) =>
    fetch(`http://127.0.0.1:${agent.kubeletPort}${path}`, { headers: { Authorization: `Bearer ${token}` } });
  const logs = async (name: string, query = "") =>
    (await kubelet(`/containerLogs/${namespace}/${name}/main${query}`)).text();
  const events = async (reason: string) => {
    for (let i = 0; i < 100; i++) {
      const found = (await api.list(Events, { namespace })).items.filter((event) => event.reason === reason);
      if (found.length > 0) return found.map(({ message }) => message);
      await sleep(systemClock, 25);
    }
    return [];
  };

  test("a server becomes ready on its own address, answers there, and ends when it is deleted", async () => {
    await create("web", {
      ports: [{ containerPort: 3000 }],
      env: [
        { name: "GREETING", value: "from $(POD)" },
        { name: "POD", value: "web" },
      ],
      readinessProbe: { httpGet: { port: 3000, path: "/" }, periodSeconds: 1 },
    });
    const pod = await until("web", isReady);
    expect(pod.status?.podIP).toMatch(/^127\.96\.20[01]\.\d+$/);
    expect(await (await fetch(`http://${pod.status?.podIP}:3000/`)).text()).toBe("from $(POD)");
    expect(main(pod)).toMatchObject({ ready: true, started: true, restartCount: 0, imageID: "sha256:1" });
    expect(await logs("web")).toBe("listening\n");
    await api.write({ verb: "delete", resource: Pods, namespace, name: "web" });
    await gone("web");
    expect(await runtime.list()).toEqual([]);
    await expect(fetch(`http://${pod.status?.podIP}:3000/`)).rejects.toThrow();
  });
  test("a container that fails waits in CrashLoopBackOff after its first restart", async () => {
    await create("bad", { command: ["sh", "-c", "echo no; exit 7"] });
    const pod = await until("bad", (each) => main(each)?.state?.waiting?.reason === "CrashLoopBackOff");
    expect(main(pod)).toMatchObject({
      restartCount: 1,
      state: {
        waiting: { message: expect.stringContaining("back-off 10s restarting failed container=main pod=bad_default(") },
      },
      lastState: { terminated: { exitCode: 7, reason: "Error" } },
    });
    expect(await logs("bad", "?previous=true")).toBe("no\n");
    expect(pod.status?.phase).toBe("Running");
  });
  test("a pod that never restarts succeeds, or fails", async () => {
    await create("yes", { command: ["true"] }, { restartPolicy: "Never" });
    await create("no", { command: ["false"] }, { restartPolicy: "Never" });
    expect(main(await until("yes", (pod) => pod.status?.phase === "Succeeded"))?.state?.terminated?.reason).toBe(
      "Completed",
    );
    await until("no", (pod) => pod.status?.phase === "Failed");
  });
  test("init containers run first, in order, and share volumes", async () => {
    const mount = { name: "work", mountPath: "/work" };
    const step = (name: string, text: string) => ({
      name,
      image: "app",
      command: ["sh", "-c", `echo ${text} >> $FILE/order`],
      env: [{ name: "FILE", value: "/work" }],
      volumeMounts: [mount],
    });
    await create(
      "steps",
      { command: ["sh", "-c", "cat $FILE/order"], env: [{ name: "FILE", value: "/work" }], volumeMounts: [mount] },
      {
        restartPolicy: "Never",
        volumes: [{ name: "work", emptyDir: {} }],
        initContainers: [step("one", "1"), step("two", "2")],
      },
    );
    await until("steps", (pod) => pod.status?.phase === "Succeeded");
    expect(await logs("steps")).toBe("1\n2\n");
  });
  test("environment and files come from ConfigMaps and Secrets, as soon as they exist", async () => {
    await create(
      "configured",
      {
        command: ["sh", "-c", "echo $A $B; cat $DIR/key"],
        env: [
          { name: "DIR", value: "/etc/config" },
          { name: "A", valueFrom: { configMapKeyRef: { name: "settings", key: "a" } } },
          { name: "B", valueFrom: { secretKeyRef: { name: "hidden", key: "b" } } },
        ],
        volumeMounts: [{ name: "config", mountPath: "/etc/config" }],
      },
      {
        restartPolicy: "Never",
        volumes: [{ name: "config", configMap: { name: "settings", items: [{ key: "a", path: "key" }] } }],
      },
    );
    expect(await events("FailedMount")).toEqual([
      `MountVolume.SetUp failed for volume "config" : configmap "settings" not found`,
    ]);
    await api.write({
      verb: "create",
      resource: ConfigMaps,
      object: newObject(ConfigMaps, { metadata: { name: "settings", namespace }, data: { a: "1" } }),
    });
    const waits = await until(
      "configured",
      (pod) => main(pod)?.state?.waiting?.reason === "CreateContainerConfigError",
    );
    expect(main(waits)?.state?.waiting?.message).toBe('secret "hidden" not found');
    await api.write({
      verb: "create",
      resource: Secrets,
      object: newObject(Secrets, {
        metadata: { name: "hidden", namespace },
        data: { b: Buffer.from("2").toString("base64") },
      }),
    });
    await until("configured", (pod) => pod.status?.phase === "Succeeded");
    expect(await logs("configured")).toBe("1 2\n1");
  });
  test("an image that nobody has is named", async () => {
    await create("none", { image: "missing:1" });
    const pod = await until("none", (each) => main(each)?.state?.waiting?.reason === "ErrImagePull");
    expect(main(pod)?.state?.waiting?.message).toContain("build it first");
  });
  test("a failing liveness probe restarts the container", async () => {
    await create(
      "sick",
      {
        command: ["sleep", "100"],
        livenessProbe: { exec: { command: ["false"] }, periodSeconds: 1, failureThreshold: 1 },
      },
      { terminationGracePeriodSeconds: 1 },
    );
    await until("sick", (pod) => (main(pod)?.restartCount ?? 0) >= 1);
    expect((await events("Unhealthy"))[0]).toContain("Liveness probe failed");
  });
  test("a server on the wrong port never gets ready, and is told so", async () => {
    await create("wrong", {
      ports: [{ containerPort: 4444 }],
      env: [{ name: "PORT", value: "4445" }],
      readinessProbe: { tcpSocket: { port: 4444 }, periodSeconds: 1 },
    });
    expect((await events("WrongListener"))[0]).toMatch(/listens on 127\.\d+\.\d+\.\d+:4445, not on its port 4444/);
    expect(isReady(await get("wrong"))).toBe(false);
  });
  test.runIf(lowPorts > 81 && (variant === "plain" || !asRoot))(
    "a port that the container may not have is said, and stays said when it fails for it",
    async () => {
      await create("low", {
        ports: [{ containerPort: 81 }],
        command: ["sh", "-c", "exit 1"],
        securityContext: asRoot ? { runAsUser: 12345 } : {},
      });
      expect((await events("PrivilegedPort"))[0]).toContain("may not listen on port 81");
      const pod = await until("low", (each) => main(each)?.state?.waiting?.reason === "CrashLoopBackOff");
      expect(pod.status?.conditions?.find(({ type }) => type === "flotilla.dev/Reachable")).toMatchObject({
        status: "False",
        reason: "PrivilegedPort",
      });
    },
  );
  test("events about a container say which one", async () => {
    await create(
      "told",
      { command: ["sleep", "100"] },
      { initContainers: [{ name: "first", image: "app", command: ["true"] }] },
    );
    await until("told", isReady);
    await events("Started");
    const fields = async () =>
      (await api.list(Events, { namespace })).items
        .filter(({ reason }) => reason === "Started")
        .map(({ involvedObject }) => involvedObject.fieldPath)
        .toSorted();
    for (let i = 0; i < 100 && (await fields()).length < 2; i++) await sleep(systemClock, 25);
    expect(await fields()).toEqual(["spec.containers{main}", "spec.initContainers{first}"]);
  });
  test("a command runs in the container over a WebSocket, with its exit code", async () => {
    await create("shell", { command: ["sleep", "100"] });
    await until("shell", isReady);
    const url = `ws://127.0.0.1:${agent.kubeletPort}/exec/${namespace}/shell/main?command=sh&command=-c&command=${encodeURIComponent("cat; echo bad >&2; exit 3")}&input=1&output=1&error=1`;
    const socket = new WebSocket(url, "v5.channel.k8s.io", { headers: { Authorization: `Bearer ${token}` } });
    const said: Record<number, string> = {};
    socket.on("message", (data: Buffer) => {
      said[data[0] as number] = (said[data[0] as number] ?? "") + data.subarray(1).toString();
    });
    await new Promise((resolve) => socket.once("open", resolve));
    socket.send(Buffer.concat([Buffer.from([0]), Buffer.from("typed")]));
    socket.send(Buffer.from([255, 0]));
    await new Promise((resolve) => socket.once("close", resolve));
    expect(said[1]).toBe("typed");
    expect(said[2]).toBe("bad\n");
    expect(JSON.parse(said[3] ?? "")).toMatchObject({
      reason: "NonZeroExitCode",
      details: { causes: [{ message: "3" }] },
    });
  });
  test.each(["v5.channel.k8s.io", "v4.channel.k8s.io"])(
    "a terminal has its size before the command looks (%s)",
    async (protocol) => {
      await create("shell", { command: ["sleep", "100"] });
      await until("shell", isReady);
      const command = ["sh", "-c", "stty size; read x; echo $x"].map((word) => `command=${encodeURIComponent(word)}`);
      const url = `ws://127.0.0.1:${agent.kubeletPort}/exec/${namespace}/shell/main?${command.join("&")}&input=1&output=1&tty=1`;
      const socket = new WebSocket(url, protocol, { headers: { Authorization: `Bearer ${token}` } });
      let shown = "";
      let status = "";
      socket.on("message", (data: Buffer) => {
        if (data[0] === 1) shown += data.toString("utf8", 1);
        if (data[0] === 3) status = data.toString("utf8", 1);
      });
      await new Promise((resolve) => socket.once("open", resolve));
      socket.send(Buffer.from('\u0004{"Width":111,"Height":22}'));
      socket.send(Buffer.from("\u0000typed\n"));
      await new Promise((resolve) => socket.once("close", resolve));
      expect(shown.replaceAll("\r", "").split("\n").slice(0, 3).toSorted()).toEqual(["22 111", "typed", "typed"]);
      expect(JSON.parse(status)).toMatchObject({ status: "Success" });
    },
  );
  test("the node is registered, ready and renewed", async () => {
    for (
      let i = 0;
      i < 100 && !(await api.get(Leases, { namespace: "kube-node-lease", name: "local" }).catch(() => undefined));
      i++
    )
      await sleep(systemClock, 25);
    const node = await api.get(Nodes, { name: "local" });
    expect(node.status?.conditions?.find(({ type }) => type === "Ready")?.status).toBe("True");
    expect(node.status?.daemonEndpoints?.kubeletEndpoint?.Port).toBe(agent.kubeletPort);
  });
  test("usage is measured", async () => {
    await create("busy", { command: ["node", "-e", "for (;;);"] });
    await until("busy", isReady);
    await sleep(systemClock, 1200);
    await kubelet("/apis/metrics.k8s.io/v1beta1/pods");
    await sleep(systemClock, 1200);
    const { items } = (await (await kubelet("/apis/metrics.k8s.io/v1beta1/namespaces/default/pods")).json()) as {
      items: { containers: { usage: { cpu: string } }[] }[];
    };
    expect(Number.parseInt(items[0]?.containers[0]?.usage.cpu ?? "0", 10)).toBeGreaterThan(1e8);
  });
  test("who has no token gets nothing", async () => {
    expect((await fetch(`http://127.0.0.1:${agent.kubeletPort}/pods`)).status).toBe(401);
  });
  test("a path that is malformed is refused", async () => {
    expect((await kubelet("/containerLogs/default/%ZZ/main")).status).toBe(400);
  });
  test("after the agent is replaced, pods run again, on the same address, counted as restarted", async () => {
    await create("web", {
      ports: [{ containerPort: 3000 }],
      readinessProbe: { tcpSocket: { port: 3000 }, periodSeconds: 1 },
    });
    const before = await until("web", isReady);
    await agent.stop({ graceMs: 500 });
    agent = await start();
    const after = await until("web", (pod) => isReady(pod) && (main(pod)?.restartCount ?? 0) === 1);
    expect(after.status?.podIP).toBe(before.status?.podIP);
  });
  test.runIf(variant === "namespaced")("the ServiceAccount's token is where clients look for it", async () => {
    await api.write({
      verb: "create",
      resource: ServiceAccounts,
      object: newObject(ServiceAccounts, { metadata: { name: "robot", namespace } }),
    });
    const folderInside = "/var/run/secrets/kubernetes.io/serviceaccount";
    const command = [
      "sh",
      "-c",
      `cd ${folderInside}; cat token; echo; cat namespace; echo; cat ca.crt; echo; hostname`,
    ];
    await create(
      "robot",
      { command },
      { restartPolicy: "Never", serviceAccountName: "robot", automountServiceAccountToken: true },
    );
    await until("robot", (pod) => pod.status?.phase === "Succeeded");
    expect(await logs("robot")).toBe("token of default/robot\ndefault\nthe authority\nrobot\n");
  });
  test.runIf(variant === "namespaced")("names of Services are in /etc/hosts", async () => {
    await api.write({
      verb: "create",
      resource: Services,
      object: newObject(Services, { metadata: { name: "catalog", namespace }, spec: { ports: [{ port: 80 }] } }),
    });
    const { clusterIP } = (await api.get(Services, { namespace, name: "catalog" })).spec ?? {};
    await create(
      "names",
      {
        command: [
          "sh",
          "-c",
          "while ! grep -q catalog /etc/hosts; do sleep 0.05; done; getent hosts catalog.default.svc; echo $CATALOG_SERVICE_HOST",
        ],
      },
      { restartPolicy: "Never" },
    );
    await until("names", (pod) => pod.status?.phase === "Succeeded");
    expect((await logs("names")).split("\n")[0]).toContain(clusterIP);
  });
});
