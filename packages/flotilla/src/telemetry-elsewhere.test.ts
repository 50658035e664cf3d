import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { secretHeaders } from "./secret-headers.ts";
import { telemetryElsewhere } from "./telemetry-elsewhere.ts";

let folder: string;
let server: Server;
let asked: { path?: string; authorization?: string }[];

const model = (telemetry: string) => `
name: shop
services: { web: { image: flotilla.dev/web, port: 3000 } }
secrets: { metrics: { keys: [headers], from: generate } }
environments: { production: { telemetry: ${telemetry} }, staging: {} }
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "elsewhere-"));
  // The Prometheus and the cluster's API in one.
  server = createServer((request, response) => {
    const { url: path = "", headers } = request;
    const { authorization } = headers;
    response.setHeader("Content-Type", "application/json");
    if (path.includes("/secrets/metrics")) {
      const data = { headers: Buffer.from("Authorization=Basic%20YTpi,X-Tenant=7").toString("base64") };
      return response.end(JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name: "metrics" }, data }));
    }
    asked.push({ path, authorization });
    response.end(JSON.stringify({ status: "success", data: { resultType: "scalar", result: [1, "42"] } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      "current-context": "there",
      contexts: [{ name: "there", context: { cluster: "there", user: "me" } }],
      clusters: [{ name: "there", cluster: { server: url } }],
      users: [{ name: "me", user: { token: "t" } }],
    }),
  );
  vi.stubEnv("KUBECONFIG", kubeconfig);
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const ask = async (telemetry: string, environment = "production") => {
  asked = [];
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(join(folder, "flotilla.yaml"), model(telemetry.replace("URL", url)));
  return (await telemetryElsewhere(folder, environment)).instant("42", 0);
};

test("the environment's Prometheus is asked", async () => {
  expect(await ask(`{ prometheus: { url: "URL/tenant" } }`)).toEqual({ resultType: "scalar", result: [1, "42"] });
  expect(asked[0]).toEqual({ path: expect.stringMatching(/^\/tenant\/api\/v1\/query/), authorization: undefined });
});

test("with the headers that a Secret there holds", async () => {
  await ask(`{ prometheus: { url: URL, headers: { secret: metrics, key: headers } } }`);
  expect(asked[0]?.authorization).toBe("Basic YTpi");
});

test("an environment that does not say where is told what to say", () =>
  expect(ask("{}", "staging")).rejects.toThrow("environments.staging.telemetry.prometheus.url"));

test.each([
  [{}, "secret shop/s has no key k"],
  [{ k: Buffer.from("nothing").toString("base64") }, "write name=value"],
])("a Secret that holds no headers is named: %j", (data, message) =>
  expect(
    secretHeaders({ get: async () => ({ data }) as never }, { namespace: "shop", secret: "s", key: "k" }),
  ).rejects.toThrow(message),
);
