import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readKubeconfig } from "./kubeconfig.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubeconfig-"));
  await writeFile(join(folder, "ca.pem"), "CA");
  await writeFile(join(folder, "token"), "from-file\n");
});
afterAll(() => rm(folder, { recursive: true }));

const base64 = (text: string) => Buffer.from(text).toString("base64");

async function reading(user: unknown, cluster: object = {}, context?: string) {
  const path = join(folder, "config");
  const config = {
    "current-context": "one",
    clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:6443", ...cluster } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "one", context: { cluster: "c", user: "u", namespace: "shop" } }],
  };
  await writeFile(path, JSON.stringify(config));
  return readKubeconfig(path, context);
}

test("a token and authority data", async () => {
  const { name, namespace, connection } = await reading({ token: "t" }, { "certificate-authority-data": base64("CA") });
  expect({ name, namespace, ...connection }).toMatchObject({ name: "one", namespace: "shop", token: "t", ca: "CA" });
});

test("client certificates", async () => {
  const user = { "client-certificate-data": base64("C"), "client-key-data": base64("K") };
  expect((await reading(user)).connection.clientCert).toEqual({ cert: "C", key: "K" });
});

test("files, relative to the kubeconfig", async () => {
  const { connection } = await reading({ tokenFile: "token" }, { "certificate-authority": "ca.pem" });
  expect(connection.ca).toBe("CA");
  expect(await (connection.token as () => Promise<string>)()).toBe("from-file");
});

test("YAML", async () => {
  const path = join(folder, "yaml");
  await writeFile(
    path,
    [
      "apiVersion: v1",
      "current-context: one",
      "clusters: [{name: c, cluster: {server: 'https://h:1', insecure-skip-tls-verify: true}}]",
      "users: [{name: u, user: {token: t}}]",
      "contexts: [{name: one, context: {cluster: c, user: u}}]",
    ].join("\n"),
  );
  const { namespace, connection } = await readKubeconfig(path);
  expect(namespace).toBe("default");
  expect(connection).toMatchObject({ server: "https://h:1", insecureSkipTlsVerify: true, token: "t" });
});

test.each([
  [{ exec: {} }, {}, undefined, /user "u": exec is not supported; use a token or a client certificate/],
  [{ "client-certificate-data": base64("C") }, {}, undefined, /a client certificate needs its key/],
  [{}, { server: "nonsense" }, undefined, /cluster "c": server: no URL: nonsense/],
  [{}, { "certificate-authority": "none.pem" }, undefined, /there is no file .*none.pem/],
  [{}, {}, "two", /no context "two"; it has: one/],
])("mistakes name the file and the place: %j %j %s", async (user, cluster, context, message) => {
  await expect(reading(user, cluster, context)).rejects.toThrow(message);
  await expect(reading(user, cluster, context)).rejects.toThrow(folder);
});

test("a missing file and one that is no YAML", async () => {
  await expect(readKubeconfig(join(folder, "none"))).rejects.toThrow("there is no file");
  await writeFile(join(folder, "broken"), "a: [");
  await expect(readKubeconfig(join(folder, "broken"))).rejects.toThrow("is not YAML");
});
