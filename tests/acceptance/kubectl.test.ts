// The real kubectl against the running shop: every verb that a working day needs.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, Shop, sleep } from "./shop.ts";

const hasKubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;
if (!hasKubectl) console.warn("SKIPPED: kubectl is not on this machine; CI installs it.");

let shop: Shop;
const kubectl = (...args: string[]) => shop.kubectl(...args);

async function ok(answer: Promise<Answer>): Promise<string> {
  const { code, out, err } = await answer;
  expect(code, `${out}${err}`).toBe(0);
  return out;
}

const environment = () => ({ ...process.env, KUBECONFIG: join(shop.dir, ".flotilla", "kubeconfig") });

function background(...args: string[]) {
  const child = spawn("kubectl", args, { cwd: shop.dir, env: environment() });
  let seen = "";
  child.stdout.on("data", (chunk) => {
    seen += chunk;
  });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  return { seen: () => seen, said: () => said, kill: () => child.kill() };
}

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !done(); i++) await sleep(100);
  expect(done()).toBe(true);
}

/** Runs a line of shell with a terminal, as a person's would be; answers what the terminal showed. */
async function terminal(line: string): Promise<string> {
  const child = spawn("script", ["-qec", line, "/dev/null"], { cwd: shop.dir, env: environment() });
  let out = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  await new Promise((resolve) => child.on("exit", resolve));
  return out;
}

describe.skipIf(!hasKubectl)("kubectl", () => {
  beforeAll(async () => {
    shop = await Shop.copy();
    await shop.up();
  }, 180_000);
  afterAll(() => shop?.close(), 60_000);

  test("get", async () => {
    expect(await ok(kubectl("get", "pods"))).toMatch(
      /NAME +READY +STATUS +RESTARTS +AGE\n[\s\S]*catalog-\S+ +1\/1 +Running/,
    );
    expect(await ok(kubectl("get", "pods", "-o", "wide"))).toMatch(/ IP +NODE [\s\S]* 127\.\d+\.\d+\.\d+ /);
    expect(await ok(kubectl("get", "deployment", "catalog", "-o", "yaml"))).toContain("kind: Deployment");
    expect(await ok(kubectl("get", "deployment", "catalog", "-o", "jsonpath={.status.readyReplicas}"))).toBe("1");
    expect(await ok(kubectl("get", "all"))).toMatch(/deployment.apps\/orders[\s\S]*replicaset.apps\/orders-/);
    expect(await ok(kubectl("get", "apps"))).toContain("shop");
    const { code, err } = await kubectl("get", "pod", "nobody");
    expect({ code, err: err.trim() }).toEqual({
      code: 1,
      err: 'Error from server (NotFound): pods "nobody" not found',
    });
  });

  test("get -w sees every change", async () => {
    await ok(kubectl("create", "configmap", "watched", "--from-literal=a=1"));
    const watching = background("get", "configmap", "watched", "-w");
    const lines = () => (watching.seen().match(/^watched/gm) ?? []).length;
    try {
      await until(() => lines() === 1);
      await ok(kubectl("label", "configmap", "watched", "colour=blue"));
      await ok(kubectl("annotate", "configmap", "watched", "note=hello"));
      await until(() => lines() === 3);
    } finally {
      watching.kill();
    }
    await ok(kubectl("delete", "configmap", "watched"));
  });

  test("describe", async () => {
    expect(await ok(kubectl("describe", "pod", "-l", "app.kubernetes.io/name=orders"))).toMatch(
      /Status: +Running[\s\S]*Events:/,
    );
    expect(await ok(kubectl("describe", "deployment", "orders"))).toMatch(
      /Replicas: +1 desired \| 1 updated \| 1 total \| 1 available/,
    );
    expect(await ok(kubectl("describe", "service", "orders"))).toMatch(/Endpoints: +127\./);
    expect(await ok(kubectl("describe", "node"))).toMatch(/Ready +True/);
  });

  test("logs and logs -f", async () => {
    expect(await ok(kubectl("logs", "deployment/catalog"))).toContain("catalog has 8 products");
    expect(await ok(kubectl("logs", "deployment/catalog", "--tail=1", "--timestamps"))).toMatch(/^\d{4}-\d\d-\d\dT/);
    const following = background("logs", "-f", "deployment/orders", "--tail=1");
    try {
      await until(() => following.seen() !== "");
      const body = JSON.stringify({ email: "a@example.com", lines: [{ product: "bell", quantity: 1 }] });
      const { id } = (await (await fetch(`${shop.url}/api/orders`, { method: "POST", body })).json()) as { id: string };
      await until(() => following.seen().includes(`order ${id} taken`));
    } finally {
      following.kill();
    }
  });

  test("exec, with input, with an exit code, and with a terminal", async () => {
    expect(await ok(kubectl("exec", "deployment/catalog", "--", "node", "-p", "6*7"))).toBe("42\n");
    expect(await ok(shop.kubectlWith("some words\n", "exec", "-i", "deployment/catalog", "--", "cat"))).toBe(
      "some words\n",
    );
    expect(await kubectl("exec", "deployment/catalog", "--", "sh", "-c", "echo oops >&2; exit 7")).toMatchObject({
      code: 7,
      err: expect.stringContaining("oops"),
    });
    expect(await terminal("kubectl exec -it deployment/catalog -- sh -c 'tty && stty size'")).toMatch(
      /\/dev\/pts\/\d+[\s\S]*\d+ \d+/,
    );
  });

  test("port-forward: several connections at once, and a port that nobody has", async () => {
    const forwarding = background("port-forward", "deployment/catalog", ":3000", ":1");
    try {
      const ports = () => [...forwarding.seen().matchAll(/127\.0\.0\.1:(\d+) ->/g)].map(([, port]) => port);
      await until(() => ports().length === 2);
      const answers = await Promise.all([1, 2, 3, 4].map(() => fetch(`http://127.0.0.1:${ports()[0]}/products`)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      await expect(fetch(`http://127.0.0.1:${ports()[1]}/`)).rejects.toThrow();
      await until(() => forwarding.said().includes("connect: connection refused"));
    } finally {
      forwarding.kill();
    }
  });

  test("cp, there and back", async () => {
    const name = (await ok(kubectl("get", "pod", "-l", "app.kubernetes.io/name=catalog", "-o", "name")))
      .trim()
      .slice(4);
    const [there, back] = [join(shop.dir, "there"), join(shop.dir, "back")];
    writeFileSync(there, randomBytes(5_000_000));
    await ok(kubectl("cp", there, `${name}:/tmp/there`));
    await ok(kubectl("cp", `${name}:/tmp/there`, back));
    expect(readFileSync(back).equals(readFileSync(there))).toBe(true);
  });

  test("scale", async () => {
    await ok(kubectl("scale", "deployment/catalog", "--replicas=3"));
    await ok(kubectl("rollout", "status", "deployment/catalog", "--timeout=60s"));
    expect(await ok(kubectl("get", "deployment", "catalog", "-o", "jsonpath={.status.readyReplicas}"))).toBe("3");
    await ok(kubectl("scale", "deployment/catalog", "--replicas=1"));
    await ok(kubectl("wait", "deployment/catalog", "--for=jsonpath={.status.replicas}=1", "--timeout=60s"));
  }, 120_000);

  test("rollout status, restart, history, undo", async () => {
    await ok(kubectl("rollout", "restart", "deployment/catalog"));
    expect(await ok(kubectl("rollout", "status", "deployment/catalog", "--timeout=60s"))).toContain(
      "successfully rolled out",
    );
    expect(await ok(kubectl("rollout", "history", "deployment/catalog"))).toMatch(/REVISION[\s\S]*1 [\s\S]*2 /);
    await ok(kubectl("set", "env", "deployment/catalog", "COLOUR=blue"));
    await ok(kubectl("rollout", "status", "deployment/catalog", "--timeout=60s"));
    await ok(kubectl("rollout", "undo", "deployment/catalog"));
    await ok(kubectl("rollout", "status", "deployment/catalog", "--timeout=60s"));
    expect(await ok(kubectl("get", "deployment", "catalog", "-o", "yaml"))).not.toContain("COLOUR");
  }, 180_000);

  const manifest = (value: string) =>
    JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "applied" }, data: { key: value } });

  test("apply, diff, server-side apply and its conflicts", async () => {
    expect(await ok(shop.kubectlWith(manifest("one"), "apply", "-f", "-"))).toContain("configmap/applied created");
    expect(await ok(shop.kubectlWith(manifest("one"), "apply", "-f", "-"))).toContain("configmap/applied unchanged");
    expect(await shop.kubectlWith(manifest("two"), "diff", "-f", "-")).toMatchObject({
      code: 1,
      out: expect.stringMatching(/-\s+key: one\n\+\s+key: two/),
    });
    expect(await ok(shop.kubectlWith(manifest("two"), "apply", "-f", "-"))).toContain("configmap/applied configured");
    const conflict = await shop.kubectlWith(
      manifest("three"),
      "apply",
      "--server-side",
      "--field-manager=other",
      "-f",
      "-",
    );
    expect(conflict.err).toContain('conflict with "kubectl-client-side-apply"');
    expect(
      await ok(
        shop.kubectlWith(
          manifest("three"),
          "apply",
          "--server-side",
          "--force-conflicts",
          "--field-manager=other",
          "-f",
          "-",
        ),
      ),
    ).toContain("serverside-applied");
    expect((await shop.kubectlWith(manifest("x").replace('"data"', '"dta"'), "apply", "-f", "-")).err).toContain(
      'unknown field "dta"',
    );
    await ok(kubectl("delete", "configmap", "applied"));
  });

  test("patch, label, annotate, wait", async () => {
    await ok(
      kubectl("patch", "deployment", "payments", "--type=merge", "-p", '{"metadata":{"labels":{"patched":"merge"}}}'),
    );
    await ok(kubectl("patch", "deployment", "payments", "-p", '{"metadata":{"labels":{"patched":"strategic"}}}'));
    await ok(
      kubectl(
        "patch",
        "deployment",
        "payments",
        "--type=json",
        "-p",
        '[{"op":"replace","path":"/metadata/labels/patched","value":"json"}]',
      ),
    );
    expect(await ok(kubectl("get", "deployment", "-l", "patched=json", "-o", "name"))).toBe(
      "deployment.apps/payments\n",
    );
    await ok(kubectl("label", "deployment", "payments", "patched-"));
    await ok(kubectl("annotate", "deployment", "payments", "note=hello", "--overwrite"));
    await ok(kubectl("wait", "--for=condition=Available", "deployment", "--all", "--timeout=60s"));
  });

  test("top", async () => {
    // A pod that has just started is measured some seconds later.
    const usage = /catalog-\S+ +\d+m +\d+Mi/;
    for (let i = 0; i < 60 && !usage.test((await kubectl("top", "pods")).out); i++) await sleep(500);
    expect(await ok(kubectl("top", "pods"))).toMatch(usage);
    expect(await ok(kubectl("top", "nodes"))).toMatch(/CPU/);
  });

  test("create and delete namespace, configmap, secret", async () => {
    await ok(kubectl("create", "namespace", "elsewhere"));
    await ok(kubectl("-n", "elsewhere", "create", "configmap", "a", "--from-literal=k=v"));
    await ok(kubectl("-n", "elsewhere", "create", "secret", "generic", "b", "--from-literal=k=v"));
    expect(await ok(kubectl("-n", "elsewhere", "get", "secret", "b", "-o", "jsonpath={.data.k}"))).toBe("dg==");
    await ok(kubectl("delete", "namespace", "elsewhere", "--timeout=30s"));
    expect((await kubectl("get", "namespace", "elsewhere")).err).toContain("not found");
  });

  test("explain, api-resources, auth can-i", async () => {
    expect(await ok(kubectl("explain", "deployment.spec"))).toMatch(/KIND: +Deployment[\s\S]*replicas\s+<integer>/);
    expect(await ok(kubectl("api-resources"))).toMatch(/deployments +deploy +apps\/v1 +true +Deployment/);
    expect(await ok(kubectl("auth", "can-i", "create", "pods"))).toBe("yes\n");
  });
});
