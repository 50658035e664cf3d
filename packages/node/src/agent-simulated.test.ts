import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Simulation, simulation } from "@flotilla/ambient";
import { createControlPlane, memoryPersistence } from "@flotilla/apiserver";
import type { Api } from "@flotilla/client";
import { isReady, newObject, type Pod, Pods } from "@flotilla/objects";
import { afterEach, expect, test } from "vitest";
import { type Agent, startAgent } from "./agent.ts";
import { noPodFiles } from "./pod-files.ts";
import { type Behaviour, simulatedRuntime } from "./simulated-runtime.ts";

const namespace = "default";
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Nothing happens in a simulated world while one merely waits. */
async function during<T>(world: Simulation, promise: Promise<T>): Promise<T> {
  let done = false;
  void promise.then(
    () => (done = true),
    () => (done = true),
  );
  while (!done) await world.settle();
  return promise;
}

/** An API that can be out of reach: what is under way breaks, what comes is refused. */
function severable(direct: Api) {
  let cut = new AbortController();
  const reached = () => {
    if (cut.signal.aborted) throw new TypeError("fetch failed");
  };
  const call =
    <A extends unknown[], R>(method: (...args: A) => Promise<R>) =>
    async (...args: A) => {
      reached();
      const answer = await method(...args);
      reached();
      return answer;
    };
  const api: Api = {
    get: call(direct.get) as Api["get"],
    list: call(direct.list) as Api["list"],
    write: call(direct.write) as Api["write"],
    async *watch(resource, options) {
      reached();
      const { signal } = cut;
      const signals = AbortSignal.any([signal, ...(options?.signal ? [options.signal] : [])]);
      yield* direct.watch(resource, { ...options, signal: signals });
      if (signal.aborted) throw new TypeError("terminated");
    },
  };
  return { api, cut: () => cut.abort(), mend: () => (cut = new AbortController()) };
}

async function cluster(behave: (name: string) => Behaviour = () => ({})) {
  const world = simulation(7);
  const { clock, random } = world;
  const control = await during(world, createControlPlane({ clock, random, persistence: memoryPersistence() }));
  const direct = control.api();
  const api: Api = { ...direct, write: (write) => during(world, direct.write(write)) };
  const line = severable(direct);
  const boot = async () => {
    const runtime = simulatedRuntime({ clock, random, behaviours: ({ hostname }) => behave(hostname) });
    const { checks, volumes, images } = runtime;
    const options = { clock, random, api: line.api, runtime, checks, volumes, images, files: noPodFiles };
    const agent = await startAgent({
      ...options,
      nodeName: "local",
      podCIDR: "127.96.1.0/24",
      stateDir: join(tmpdir(), "none"),
    });
    return { agent, runtime };
  };
  let booted = await boot();
  closing.push(() => during(world, booted.agent.crash()));
  return {
    world,
    api,
    /** The agent's way to the API. */
    line,
    get agent(): Agent {
      return booted.agent;
    },
    async reboot() {
      booted.runtime.crash();
      await during(world, booted.agent.crash());
      booted = await boot();
    },
    create: (
      name: string,
      spec: Partial<Pod["spec"]> = {},
      container: Partial<Pod["spec"]["containers"][number]> = {},
    ) =>
      api.write({
        verb: "create",
        resource: Pods,
        object: newObject(Pods, {
          metadata: { name, namespace },
          spec: {
            nodeName: "local",
            automountServiceAccountToken: false,
            containers: [{ name: "main", image: "a", ...container }],
            ...spec,
          },
        }),
      }),
    get: (name: string) => api.get(Pods, { namespace, name }),
    /** What of the pod's only container an observer would tell. */
    async main(name: string) {
      const { status } = await api.get(Pods, { namespace, name });
      const { restartCount, ready, state } = status?.containerStatuses?.[0] ?? {};
      return {
        phase: status?.phase,
        restartCount,
        ready,
        state: state?.waiting?.reason ?? Object.keys(state ?? {})[0],
      };
    },
  };
}
const probe = { httpGet: { port: 80 }, periodSeconds: 10 };

test("readiness is seen at once, not a period later", async () => {
  const { world, create, main } = await cluster(() => ({ readyAfter: 1500 }));
  await create("a", {}, { readinessProbe: probe });
  await world.advance(1400);
  expect(await main("a")).toMatchObject({ phase: "Running", ready: false });
  await world.advance(400);
  expect(await main("a")).toMatchObject({ phase: "Running", ready: true });
});
test("restarts wait 0, 10, 20, 40 seconds", async () => {
  const { world, create, main } = await cluster(() => ({ exits: { after: 100, code: 1 } }));
  await create("a");
  const restarts: number[] = [];
  for (const seconds of [2, 7, 4, 16, 4, 36, 5]) {
    await world.advance(seconds * 1000);
    restarts.push((await main("a")).restartCount ?? -1);
  }
  expect(restarts).toEqual([1, 1, 2, 2, 3, 3, 4]);
});
test("what ran for ten minutes is restarted at once again", async () => {
  const { world, create, main } = await cluster(() => ({ exits: { after: 700_000, code: 1 } }));
  await create("a");
  await world.advance(701_000);
  expect(await main("a")).toMatchObject({ restartCount: 1, state: "running" });
  await world.advance(701_000);
  expect(await main("a")).toMatchObject({ restartCount: 2, state: "running" });
});
test("a deleted pod that ignores SIGTERM is gone after its grace period", async () => {
  const { world, api, create, get } = await cluster(() => ({ ignoresTerm: true }));
  await create("a", { terminationGracePeriodSeconds: 20 });
  await world.advance(1000);
  await api.write({ verb: "delete", resource: Pods, namespace, name: "a" });
  await world.advance(19_000);
  expect(isReady(await get("a"))).toBe(true);
  await world.advance(2000);
  await expect(get("a")).rejects.toThrow("not found");
});
test("a preStop hook runs before SIGTERM, within the grace period", async () => {
  const { world, api, create, get } = await cluster();
  await create("a", {}, { lifecycle: { preStop: { sleep: { seconds: 3 } } } });
  await world.advance(1000);
  await api.write({ verb: "delete", resource: Pods, namespace, name: "a" });
  await world.advance(2900);
  expect((await get("a")).status?.containerStatuses?.[0]?.state?.running).toBeDefined();
  await world.advance(300);
  await expect(get("a")).rejects.toThrow("not found");
});
test("a pod that is deleted at once lets go of its address and its containers", async () => {
  const { world, api, create, agent } = await cluster();
  await create("a");
  await world.advance(1000);
  await api.write({ verb: "delete", resource: Pods, namespace, name: "a", gracePeriodSeconds: 0 });
  await world.advance(3000);
  expect(agent.pods()).toEqual([]);
});
test("out of memory is said", async () => {
  const { world, create, get } = await cluster(() => ({ outOfMemoryAfter: 500 }));
  await create("a", { restartPolicy: "Never" }, { resources: { limits: { memory: "64Mi" } } });
  await world.advance(2000);
  const { status } = await get("a");
  expect(status?.phase).toBe("Failed");
  expect(status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ reason: "OOMKilled", exitCode: 137 });
});
test("a liveness probe that fails three times restarts the container", async () => {
  const { world, create, main } = await cluster(() => ({ hangsAfter: 5000 }));
  await create("a", { terminationGracePeriodSeconds: 1 }, { livenessProbe: { ...probe, periodSeconds: 2 } });
  await world.advance(9000);
  expect(await main("a")).toMatchObject({ restartCount: 0 });
  await world.advance(5000);
  expect(await main("a")).toMatchObject({ restartCount: 1, state: "running" });
});
test("a startup probe holds the others back", async () => {
  const { world, create, main } = await cluster(() => ({ readyAfter: 20_000 }));
  await create(
    "a",
    {},
    { livenessProbe: { ...probe, periodSeconds: 1 }, startupProbe: { ...probe, failureThreshold: 30 } },
  );
  await world.advance(19_000);
  expect(await main("a")).toMatchObject({ restartCount: 0, ready: false });
  await world.advance(3000);
  expect(await main("a")).toMatchObject({ restartCount: 0, ready: true });
});
test("sidecars start first, and end when the work is done", async () => {
  const { world, create, get } = await cluster(() => ({}));
  await create("a", {
    restartPolicy: "Never",
    activeDeadlineSeconds: 30,
    initContainers: [{ name: "side", image: "s", restartPolicy: "Always" }],
  });
  await world.advance(2000);
  expect((await get("a")).status?.initContainerStatuses?.[0]).toMatchObject({ started: true, ready: true });
  await world.advance(31_000);
  const { status } = await get("a");
  expect(status).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
  expect(status?.initContainerStatuses?.[0]?.state?.terminated).toBeDefined();
});
test("a machine that comes back runs its pods again and counts", async () => {
  const each = await cluster();
  await each.create("a");
  await each.world.advance(1000);
  const { podIP } = (await each.get("a")).status ?? {};
  await each.reboot();
  await each.world.advance(1000);
  expect(await each.main("a")).toMatchObject({ restartCount: 1, state: "running", ready: true });
  const { status } = await each.get("a");
  expect(status?.podIP).toBe(podIP);
  expect(status?.containerStatuses?.[0]?.lastState?.terminated?.reason).toBe("ContainerStatusUnknown");
});
test("a pod of an agent that comes back is unready before it is ready again", async () => {
  const each = await cluster();
  await each.create("a");
  await each.world.advance(1000);
  const { resourceVersion } = (await each.get("a")).metadata;
  await each.reboot();
  await each.world.advance(1000);
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const event of each.api.watch(Pods, { resourceVersion, signal: stop.signal })) {
    if (event.type === "BOOKMARK") continue;
    const { metadata, status } = event.object;
    if (metadata.name !== "a") continue;
    seen.push(`${isReady(event.object)} ${status?.containerStatuses?.[0]?.restartCount}`);
    if (seen.at(-1) === "true 1") stop.abort();
  }
  expect(seen[0]).toBe("false 0");
  expect(seen.at(-1)).toBe("true 1");
});
test("when an agent stops, its pods are not ready", async () => {
  const { world, agent, create, get } = await cluster();
  await create("a");
  await world.advance(1000);
  expect(isReady(await get("a"))).toBe(true);
  const stopped = agent.stop({ skipPreStop: true });
  await world.advance(5000);
  await during(world, stopped);
  expect(isReady(await get("a"))).toBe(false);
  expect((await get("a")).status).toMatchObject({ phase: "Running", containerStatuses: [{ ready: false }] });
});
test("while the API is away pods go on and are restarted; what became of them is written when it is back", async () => {
  const { world, line, agent, create, main } = await cluster((name) =>
    name === "mortal" ? { exits: { after: 8000, code: 1 } } : {},
  );
  await create("mortal");
  await create("steady");
  await world.advance(1000);
  line.cut();
  await world.advance(60_000);
  const local = (name: string) => agent.pods().find(({ pod }) => pod.metadata.name === name)?.containers.main;
  // After 8, 26 and 54 seconds.
  expect(local("mortal")?.restartCount).toBe(3);
  expect(local("steady")).toMatchObject({ restartCount: 0, ready: true, state: { is: "running" } });
  expect(await main("mortal")).toMatchObject({ restartCount: 0 });
  line.mend();
  await world.advance(30_000);
  const { restartCount } = local("mortal") ?? {};
  expect(await main("mortal")).toMatchObject({ restartCount });
  expect(await main("steady")).toMatchObject({ restartCount: 0, ready: true });
});
test("addresses are not given to another right away", async () => {
  const { world, api, create, get } = await cluster();
  await create("a");
  await world.advance(1000);
  const first = (await get("a")).status?.podIP;
  await api.write({ verb: "delete", resource: Pods, namespace, name: "a" });
  await world.advance(5000);
  await create("b");
  await world.advance(1000);
  expect((await get("b")).status?.podIP).not.toBe(first);
});
