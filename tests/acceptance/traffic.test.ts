// Requests go on, without a single failure, through everything that a working day does to pods, and to the control plane.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Failure, type Load, load } from "./load.ts";
import { Shop, sleep } from "./shop.ts";

let shop: Shop;
const services = ["storefront", "catalog", "orders", "payments"];

beforeAll(async () => {
  shop = await Shop.copy();
  await shop.up();
  await shop.kubectl("scale", "--replicas=2", ...services.map((name) => `deployment/${name}`));
  for (const name of services) await shop.kubectl("rollout", "status", `deployment/${name}`, "--timeout=60s");
}, 240_000);
afterAll(() => shop?.close(), 60_000);

/** "12 × POST /api/orders: 502 ..., from 15:40:32.848 to 15:40:32.871" */
function counted(failures: readonly Failure[]): string[] {
  const groups = Map.groupBy(failures, ({ method, path, why }) => `${method} ${path}: ${why}`);
  return [...groups].map(([what, all]) => `${all.length} × ${what}, from ${all[0]?.at} to ${all.at(-1)?.at}`);
}

/** 200 requests a second while `act` runs and a moment longer. */
async function underLoad(act: (flow: Load) => Promise<void>, idempotentOnly = false) {
  const flow = load(shop.url, 200, idempotentOnly);
  await sleep(1000);
  await act(flow);
  await sleep(1000);
  const { sent, failures } = await flow.stop();
  expect(sent).toBeGreaterThan(300);
  if (failures.length > 0)
    for (const what of ["events", "pods"]) {
      const { out, err } = await shop.kubectl("get", what, "--sort-by=.metadata.creationTimestamp", "-o", "wide");
      console.error(out + err);
    }
  return counted(failures);
}

const ok = (answer: { code: number; err: string }) => expect(answer, answer.err).toMatchObject({ code: 0 });

test("kubectl delete pod of each service", async () => {
  const failures = await underLoad(async () => {
    for (const name of services) {
      const { out } = await shop.kubectl("get", "pods", "-l", `app.kubernetes.io/name=${name}`, "-o", "name");
      ok(await shop.kubectl("delete", out.trim().split("\n")[0] as string));
      ok(await shop.kubectl("wait", "--for=jsonpath={.status.readyReplicas}=2", `deployment/${name}`, "--timeout=60s"));
    }
  });
  expect(failures).toEqual([]);
}, 180_000);

test("kubectl rollout restart of every Deployment", async () => {
  const failures = await underLoad(async () => {
    ok(await shop.kubectl("rollout", "restart", ...services.map((name) => `deployment/${name}`)));
    for (const name of services) ok(await shop.kubectl("rollout", "status", `deployment/${name}`, "--timeout=120s"));
  });
  expect(failures).toEqual([]);
}, 240_000);

test("an edit of a source file", async () => {
  const file = join(shop.dir, "storefront", "public", "index.html");
  const failures = await underLoad(async () => {
    writeFileSync(file, readFileSync(file, "utf8").replace("Everything for ships", "All there is for ships"));
    const end = Date.now() + 60_000;
    let seen = 0;
    // Two replicas: the new version is there when the old one is not seen any more.
    while (seen < 20 && Date.now() < end) {
      seen = (await (await fetch(shop.url)).text()).includes("All there is for ships") ? seen + 1 : 0;
      await sleep(20);
    }
    expect(seen).toBe(20);
    ok(await shop.kubectl("rollout", "status", "deployment/storefront", "--timeout=60s"));
  });
  expect(failures).toEqual([]);
}, 180_000);

test("kill -9 of a container: no idempotent request fails", async () => {
  const failures = await underLoad(async () => {
    const victim = shop
      .processes()
      .find(({ command }) => /node server\.ts/.test(command) && !/init|unshare|setpriv/.test(command));
    expect(victim).toBeDefined();
    process.kill((victim as { pid: number }).pid, "SIGKILL");
    await sleep(4000);
  }, true);
  expect(failures).toEqual([]);
}, 120_000);

test("kill -9 of the control plane: nothing fails, and no pod is restarted", async () => {
  const pods = async () =>
    (
      await shop.kubectl(
        "get",
        "pods",
        "-o",
        'jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].restartCount}{"\\n"}{end}',
      )
    ).out;
  for (const name of services) ok(await shop.kubectl("rollout", "status", `deployment/${name}`, "--timeout=60s"));
  const before = await pods();
  const failures = await underLoad(async () => {
    const controlPlane = shop.processes().filter(({ command }) => /processes\/control-plane/.test(command));
    expect(controlPlane.length).toBeGreaterThan(0);
    for (const { pid } of controlPlane) process.kill(pid, "SIGKILL");
    const end = Date.now() + 30_000;
    while ((await shop.kubectl("get", "--raw", "/readyz")).code !== 0 && Date.now() < end) await sleep(100);
    await sleep(2000);
  });
  expect(failures).toEqual([]);
  expect(await pods()).toBe(before);
}, 120_000);
