import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type TestServer, testServer } from "./test-server.ts";

let server: TestServer;
let agent: Server;
const seen: IncomingMessage[] = [];
const pods = "/api/v1/namespaces/default/pods";

beforeAll(async () => {
  agent = createServer((request, response) => {
    seen.push(request);
    if (request.headers.authorization !== "Bearer agent-token") return response.writeHead(401).end("Unauthorized");
    if (request.url?.includes("/p/waiting"))
      return response.writeHead(400).end('container "waiting" in pod "p" is waiting to start: ContainerCreating');
    if (request.url?.includes("/p/broken")) return response.writeHead(500).end("disk on fire");
    response.writeHead(200, { "content-type": "text/plain" });
    response.write("line 1\n");
    response.end(`line 2 of ${request.method} ${request.url}\n`);
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] ?? false });
  agent.on("upgrade", (request: IncomingMessage, socket, head) => {
    seen.push(request);
    if (request.url?.includes("/p/broken"))
      return socket.end(
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 23\r\nConnection: close\r\n\r\ncontainer is not there.",
      );
    sockets.handleUpgrade(request, socket, head, (peer) =>
      peer.on("message", (data, isBinary) => peer.send(data, { binary: isBinary })),
    );
  });
  await new Promise<void>((resolve) => agent.listen(0, "127.0.0.1", resolve));
  server = await testServer();

  const { port } = agent.address() as AddressInfo;
  await server.ask("POST", "/api/v1/nodes", { metadata: { name: "n1" } });
  const status = {
    addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
  const patched = await server.ask(
    "PATCH",
    "/api/v1/nodes/n1/status",
    { status },
    { "content-type": "application/merge-patch+json" },
  );
  expect(patched.code).toBe(200);
  await server.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
  await pod("p", ["main", "waiting", "broken"], "n1");
  await pod("one", ["main"], "n1");
  await pod("homeless", ["main"]);
});
afterAll(async () => {
  await server.close();
  agent.closeAllConnections();
  agent.close();
});

async function pod(name: string, containers: string[], nodeName?: string): Promise<void> {
  const spec = { nodeName, containers: containers.map((each) => ({ name: each, image: "i" })) };
  expect((await server.ask("POST", pods, { metadata: { name }, spec })).code).toBe(201);
}

describe("log", () => {
  test("comes from the node's agent", async () => {
    const { code, text } = await server.ask("GET", `${pods}/p/log?container=main&tailLines=5&follow=true&unknown=1`);
    expect(code).toBe(200);
    expect(text).toBe("line 1\nline 2 of GET /containerLogs/default/p/main?follow=true&tailLines=5\n");
  });
  test("the only container need not be named", async () =>
    expect((await server.ask("GET", `${pods}/one/log`)).text).toContain("/containerLogs/default/one/main"));
  test("a pod without a node has nothing to say", async () => {
    const { code, text } = await server.ask("GET", `${pods}/homeless/log`);
    expect([code, text]).toEqual([200, ""]);
  });
  test("an agent that does not know this server is a fault of the server", async () => {
    const stranger = await testServer({ registry: server.plane.registry, kubelet: { token: "wrong" } });
    const { code, body } = await stranger.ask("GET", `${pods}/one/log`);
    expect([code, body.message]).toEqual([500, "Internal error occurred: the agent of node n1 refuses this server"]);
    await stranger.close();
  });
  test.each([
    ["p", "", 400, "a container name must be specified for pod p, choose one of: [main waiting broken]"],
    ["p", "container=other", 400, "container other is not valid for pod p"],
    ["p", "container=waiting", 400, 'container "waiting" in pod "p" is waiting to start: ContainerCreating'],
    ["p", "container=broken", 500, "Internal error occurred: disk on fire"],
    ["nobody", "", 404, 'pods "nobody" not found'],
    ["one", "tailLines=x", 400, 'tailLines: "x" is not a number'],
    [
      "one",
      "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z",
      400,
      "at most one of sinceTime or sinceSeconds may be specified",
    ],
  ])("%s?%s: %i %s", async (name, query, code, message) => {
    const answer = await server.ask("GET", `${pods}/${name}/log?${query}`);
    expect([answer.code, answer.body.message]).toEqual([code, message]);
  });
});

describe("streams", () => {
  const open = (path: string, protocols = ["v5.channel.k8s.io"]) => {
    const url = `${server.url.replace("http", "ws")}${path}`;
    return new WebSocket(url, protocols, { headers: { authorization: "Bearer admin" } });
  };
  /** What the server answers instead of an upgrade. */
  const refusal = (path: string): Promise<{ code?: number; message: string }> =>
    new Promise((resolve, reject) => {
      const socket = open(path);
      socket.on("open", () => reject(new Error("it was upgraded")));
      socket.on("error", () => undefined);
      socket.on("unexpected-response", (_request, response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => resolve({ code: response.statusCode, message: JSON.parse(text).message }));
      });
    });

  test("exec is piped to the agent and back", async () => {
    const socket = open(`${pods}/p/exec?container=main&command=ls&command=-l&stdin=true&stdout=true&tty=true`);
    const echo = new Promise<string>((resolve) => socket.on("message", (data) => resolve(String(data))));
    await new Promise((resolve) => socket.on("open", resolve));
    expect(socket.protocol).toBe("v5.channel.k8s.io");
    expect(seen.at(-1)?.url).toBe("/exec/default/p/main?command=ls&command=-l&input=1&output=1&tty=1");
    socket.send("\0hello");
    expect(await echo).toBe("\0hello");
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.close();
    await closed;
  });
  test("exec may be silent for long, also over a connection that was used before", async () => {
    await server.ask("GET", `${pods}/p/log?container=main`);
    const socket = open(`${pods}/p/exec?container=main&command=ls&stdin=true&stdout=true`);
    await new Promise((resolve) => socket.on("open", resolve));
    // Longer than Node.js keeps a connection that nobody uses.
    await new Promise((resolve) => setTimeout(resolve, 5500));
    const echo = new Promise<string>((resolve) => socket.on("message", (data) => resolve(String(data))));
    socket.send("\0hello");
    expect(await echo).toBe("\0hello");
    socket.terminate();
  }, 20_000);
  test("port-forward passes its protocol", async () => {
    const socket = open(`${pods}/one/portforward`, ["portforward.k8s.io"]);
    await new Promise((resolve) => socket.on("open", resolve));
    expect([socket.protocol, seen.at(-1)?.url]).toEqual(["portforward.k8s.io", "/portForward/default/one"]);
    socket.terminate();
  });
  test.each([
    [`${pods}/nobody/exec?command=ls&stdout=1`, 404, 'pods "nobody" not found'],
    [`${pods}/p/exec?command=ls&stdout=1&container=other`, 400, "container other is not valid for pod p"],
    [`${pods}/p/exec?command=ls&stdout=1&container=broken`, 400, "container is not there."],
    [`${pods}/one/exec?stdout=1`, 400, "you must specify at least one command"],
    [`${pods}/homeless/exec?command=ls&stdout=1`, 400, "pod homeless does not have a host assigned"],
  ])("%s: %i %s", async (path, code, message) => expect(await refusal(path)).toEqual({ code, message }));

  test("without an upgrade: 400", async () =>
    expect((await server.ask("POST", `${pods}/one/exec?command=ls&stdout=1`)).body.message).toBe(
      "Upgrade request required",
    ));
});

describe("proxy", () => {
  test("to a node's agent, with our token", async () => {
    const { code, text } = await server.ask("GET", "/api/v1/nodes/n1/proxy/stats/summary?x=1");
    expect([code, text]).toEqual([200, "line 1\nline 2 of GET /stats/summary?x=1\n"]);
  });
  test("to a pod, without any", async () => {
    const { port } = agent.address() as AddressInfo;
    const status = { podIP: "127.0.0.1", podIPs: [{ ip: "127.0.0.1" }] };
    await server.ask("PATCH", `${pods}/one/status`, { status }, { "content-type": "application/merge-patch+json" });
    const { code } = await server.ask("GET", `${pods}/one:${port}/proxy/a/b`);
    expect([code, seen.at(-1)?.url, seen.at(-1)?.headers.authorization]).toEqual([401, "/a/b", undefined]);
  });
  test("a pod that does not listen: 503", async () =>
    expect((await server.ask("GET", `${pods}/one:1/proxy/`)).body.reason).toBe("ServiceUnavailable"));
});
