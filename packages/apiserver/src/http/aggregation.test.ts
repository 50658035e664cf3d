import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestServer, testServer } from "./test-server.ts";

let server: TestServer;
let metrics: Server;
const seen: IncomingMessage[] = [];
let silent = false;
const path = "/apis/metrics.k8s.io/v1beta1";
/** Discovery is asked for at times of the server's own. */
const lastForwarded = () => seen.findLast(({ url }) => url !== path) as IncomingMessage;
const resourceList = {
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: "metrics.k8s.io/v1beta1",
  resources: [
    { name: "nodes", singularName: "", namespaced: false, kind: "NodeMetrics", verbs: ["get", "list"] },
    { name: "pods", singularName: "", namespaced: true, kind: "PodMetrics", verbs: ["get", "list"] },
  ],
};

async function register(name: string, port: number): Promise<void> {
  const service = { metadata: { name }, spec: { ports: [{ port: 443, targetPort: port }] } };
  expect((await server.ask("POST", "/api/v1/namespaces/kube-system/services", service)).code).toBe(201);
  const slice = {
    metadata: { name, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "", port, protocol: "TCP" }],
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
  };
  const answer = await server.ask("POST", "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices", slice);
  expect(answer.code).toBe(201);
}

async function serve(group: string, version: string, service: string): Promise<void> {
  const spec = {
    group,
    version,
    groupPriorityMinimum: 100,
    versionPriority: 100,
    service: { namespace: "kube-system", name: service, port: 443 },
  };
  const answer = await server.ask("POST", "/apis/apiregistration.k8s.io/v1/apiservices", {
    metadata: { name: `${version}.${group}` },
    spec,
  });
  expect(answer.code).toBe(201);
}

beforeAll(async () => {
  metrics = createServer((request, response) => {
    seen.push(request);
    if (silent) return void response.writeHead(503).end();
    const body = request.url === path ? resourceList : { kind: "NodeMetricsList", items: [], url: request.url };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => metrics.listen(0, "127.0.0.1", resolve));
  server = await testServer();
  await register("metrics", (metrics.address() as AddressInfo).port);
  await serve("metrics.k8s.io", "v1beta1", "metrics");
  await serve("absent.example", "v1", "nowhere");
});
afterAll(async () => {
  await server.close();
  metrics.closeAllConnections();
  metrics.close();
});

test("requests are forwarded with who asks, and never with the client's token", async () => {
  const { code, body } = await server.ask("GET", `${path}/nodes?limit=1`, undefined, {
    "x-remote-user": "somebody-else",
  });
  expect([code, body.url]).toEqual([200, `${path}/nodes?limit=1`]);
  const { headers } = lastForwarded();
  expect([headers["x-remote-user"], headers.authorization]).toEqual(["kubernetes-admin", undefined]);
});

test("a node's agent gets its token", async () => {
  await server.ask("POST", "/api/v1/nodes", { metadata: { name: "n1" } });
  const { port } = metrics.address() as AddressInfo;
  const status = {
    addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
  await server.ask("PATCH", "/api/v1/nodes/n1/status", { status }, { "content-type": "application/merge-patch+json" });
  await server.ask("GET", `${path}/nodes`);
  expect(lastForwarded().headers.authorization).toBe("Bearer agent-token");
});

test("discovery is merged into ours", async () => {
  const { body } = await server.ask("GET", "/apis");
  expect(body.groups.map(({ name }: { name: string }) => name)).toContain("metrics.k8s.io");
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const { items } = (await server.ask("GET", "/apis", undefined, { accept })).body;
  const versionOf = (group: string) =>
    items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === group).versions[0];
  expect(versionOf("metrics.k8s.io")).toMatchObject({
    version: "v1beta1",
    freshness: "Current",
    resources: [
      {
        resource: "nodes",
        scope: "Cluster",
        responseKind: { group: "metrics.k8s.io", version: "v1beta1", kind: "NodeMetrics" },
      },
      { resource: "pods", scope: "Namespaced" },
    ],
  });
  expect(versionOf("absent.example")).toEqual({ version: "v1", resources: [], freshness: "Stale" });
});

test("the version's own document comes from its server", async () =>
  expect((await server.ask("GET", path)).body).toEqual(resourceList));

test("a server that is not there: 503", async () => {
  const { code, body } = await server.ask("GET", "/apis/absent.example/v1/things");
  expect([code, body.reason]).toEqual([503, "ServiceUnavailable"]);
});

test("whether they can be reached is told", async () => {
  const available = async (name: string, wanted?: string) => {
    for (let attempt = 0; attempt < 60; attempt++) {
      const { body } = await server.ask("GET", `/apis/apiregistration.k8s.io/v1/apiservices/${name}`);
      const condition = body.status?.conditions?.find(({ type }: { type: string }) => type === "Available");
      if (condition && (!wanted || condition.status === wanted))
        return [condition.status, condition.reason, condition.message];
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return undefined;
  };
  await server.ask("POST", "/apis/apiregistration.k8s.io/v1/apiservices", {
    metadata: { name: "v1.local.example" },
    spec: { group: "local.example", version: "v1", groupPriorityMinimum: 100, versionPriority: 100 },
  });
  expect(await available("v1beta1.metrics.k8s.io")).toEqual(["True", "Passed", "all checks passed"]);
  expect(await available("v1.absent.example")).toEqual([
    "False",
    "ServiceNotFound",
    'service/nowhere in "kube-system" is not present',
  ]);
  expect(await available("v1.local.example")).toEqual(["True", "Local", "Local APIServices are always available"]);

  // One that answers only later is asked again.
  silent = true;
  await serve("late.example", "v1", "metrics");
  expect((await available("v1.late.example"))?.slice(0, 2)).toEqual(["False", "FailedDiscoveryCheck"]);
  silent = false;
  expect(await available("v1.late.example", "True")).toEqual(["True", "Passed", "all checks passed"]);
});
