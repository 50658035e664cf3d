// Clients and endpoints that do what they should not: each costs its own request, and nobody is answered with what is another's.
import { createServer as createTcpServer, connect as netConnect, type Server, type Socket } from "node:net";
import { sleep, systemClock } from "@flotilla/ambient";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ask, freshPort, gateway, rule, Stage, serviceAddress, tableWith } from "./proxy.fixture.ts";
import type { TableEndpoint } from "./table.ts";

let stage: Stage;
let port: number;
const rawServers: { server: Server; sockets: Set<Socket> }[] = [];
beforeEach(() => {
  stage = new Stage();
  port = freshPort();
});
afterEach(async () => {
  for (const { server, sockets } of rawServers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
  await stage.stop();
});

const pause = (ms: number) => sleep(systemClock, ms);

/** An endpoint that is no HTTP server: `onData` gets each piece that it hears. */
async function rawEndpoint(onData: (socket: Socket, text: string) => void): Promise<TableEndpoint> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk) => onData(socket, chunk.toString("latin1")));
  });
  rawServers.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, "127.126.1.1", resolve));
  return { address: "127.126.1.1", port: (server.address() as { port: number }).port, state: "ready" };
}

/** Sends text as it is; all that comes back until the other side ends, or nothing has come for a while. */
const raw = (text: string, to = port, patience = 400): Promise<string> =>
  new Promise((resolve, reject) => {
    let heard = "";
    const socket = netConnect(to, serviceAddress, () => void socket.write(text, "latin1"));
    socket.setTimeout(patience, () => socket.destroy());
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
    });
    socket.on("end", () => socket.end());
    socket.on("close", () => resolve(heard));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" ? resolve(heard) : reject(error),
    );
  });

const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
const chunkedSmuggled = `0\r\n\r\n${smuggled}`;

// Each would be two requests to one of two parsers. Source: PortSwigger, HTTP request smuggling; RFC 9112, 11.2.
test.each<[string, string]>([
  [
    "both lengths",
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n${chunkedSmuggled}`,
  ],
  [
    "both, the other way",
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n${chunkedSmuggled}`,
  ],
  [
    "two lengths",
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ],
  ["one length twice", `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n${smuggled}`],
  ["a list of lengths", `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, ${smuggled.length}\r\n\r\n${smuggled}`],
  ["a signed length", `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n${smuggled}`],
  ["a negative length", `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n${smuggled}`],
  ["an odd encoding", `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n${chunkedSmuggled}`],
  [
    "an encoding after chunked",
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n${chunkedSmuggled}`,
  ],
  ["a space before the colon", `POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 0\r\n\r\n${smuggled}`],
  ["a bare line feed", `POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n${smuggled}`],
  ["a bare line feed in a header", `POST / HTTP/1.1\r\nHost: a\r\nX: a\nContent-Length: 0\r\n\r\n${smuggled}`],
  ["a bare carriage return", `POST / HTTP/1.1\r\nHost: a\r\nX: a\rContent-Length: 9\r\n\r\n${smuggled}`],
  ["a line feed in a chunk's size", `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n${smuggled}`],
  ["an odd chunk size", `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${smuggled}`],
  ["a zero byte", `POST / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n${smuggled}`],
  ["two hosts", `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`],
  ["no host", `GET / HTTP/1.1\r\n\r\n`],
  [
    "an encoding that nobody knows",
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n${chunkedSmuggled}`,
  ],
  [
    "an upgrade with a body",
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ],
])("refuses a request of %s, and asks nobody", async (_, text) => {
  const asked: string[] = [];
  const server = await stage.serve("127.126.1.1", (request, response) => {
    asked.push(request.url ?? "");
    response.end("answered");
  });
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  const answer = await raw(text);
  expect([answer.split("\r\n", 1)[0], asked]).toEqual([expect.stringMatching(/^HTTP\/1\.1 (400|501) /), []]);
});

// Odd, but of one meaning: what the endpoint sees is one request, with the body whole.
test.each<[string, string, string]>([
  [
    "a length that Connection names",
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: content-length\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    smuggled,
  ],
  [
    "an encoding that Connection names",
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    smuggled,
  ],
  ["a folded header", `GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n Content-Length: 9\r\nContent-Length: 2\r\n\r\nok`, "ok"],
  ["a body of a DELETE", `DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok`, "ok"],
  [
    "chunk extensions",
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;a="b"\r\nok\r\n0\r\n\r\n`,
    "ok",
  ],
  [
    "a trailer that sets the length",
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nContent-Length: 9\r\n\r\n`,
    "ok",
  ],
])("one request stays one: %s", async (_, text, body) => {
  const heard: string[] = [];
  const server = await stage.serve("127.126.1.1", (request, response) => {
    let got = "";
    request.on("data", (chunk) => {
      got += chunk;
    });
    request.on("end", () => {
      heard.push(`${request.url} ${got}`);
      response.end("answered");
    });
  });
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  const answer = await raw(text);
  if (answer.startsWith("HTTP/1.1 400 ")) return expect(heard).toEqual([]);
  expect([answer.match(/HTTP\/1\.1 \d+/g), heard]).toEqual([["HTTP/1.1 200"], [`/ ${body}`]]);
});

test("the host of an absolute target counts, not the header's", async () => {
  const server = await stage.serve("127.126.1.1", (request, response) => void response.end(request.headers.host));
  const listener = { ...gateway(freshPort(), rule()), hostname: "right.test" };
  await stage.proxy.apply(tableWith(port, [server.endpoint], { gateways: [listener] }));
  const text = "GET http://right.test/a HTTP/1.1\r\nHost: wrong.test\r\nConnection: close\r\n\r\n";
  for (const to of [port, listener.port]) expect(await raw(text, to)).toMatch(/^HTTP\/1.1 200 [\s\S]*right\.test/);
});

test.each([
  [900, 200],
  [2500, 431],
])("of %i small headers all arrive, or none: %i", async (count, status) => {
  const server = await stage.serve(
    "127.126.1.1",
    ({ rawHeaders }, response) => void response.end(`${rawHeaders.length}`),
  );
  server.maxHeadersCount = 0;
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  const text = await raw(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${"a:\r\n".repeat(count)}\r\n`);
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  if (status === 200) expect(Number(text.match(/\r\n\r\n[\s\S]*?(\d{4,})/)?.[1])).toBeGreaterThan(2 * count);
});

test.each([
  [8_000, 200],
  [100_000, 431],
])("a URL of %i bytes gets %i", async (length, status) => {
  const server = await stage.serve(
    "127.126.1.1",
    (request, response) => void response.end(String(request.url?.length)),
  );
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  expect(await raw(`GET /${"x".repeat(length - 1)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)).toMatch(
    new RegExp(`^HTTP/1.1 ${status} `),
  );
});

test.each([
  ["garbage", "garbage\r\n\r\n"],
  ["nothing but its end", ""],
  ["headers without end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}`],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
  ["both lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["an upgrade that nobody asked for", "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"],
  ["101 without an upgrade", "HTTP/1.1 101 Switching\r\n\r\n"],
])("an endpoint that answers %s gives 502", async (_, answer) => {
  const endpoint = await rawEndpoint((socket) => void socket.end(answer));
  await stage.proxy.apply(tableWith(port, [endpoint]));
  for (const body of [undefined, "body"]) {
    expect(await ask(port, "/", { body })).toMatchObject({ status: 502, body: expect.stringContaining("shop/orders") });
  }
});

test("what an endpoint says unasked on an idle connection is nobody's answer", async () => {
  const endpoint = await rawEndpoint(async (socket, text) => {
    const path = text.split(" ", 2)[1];
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path?.length}\r\n\r\n${path}`);
    await pause(30);
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
  });
  await stage.proxy.apply(tableWith(port, [endpoint]));
  for (const path of ["/a", "/b", "/c"]) {
    expect((await ask(port, path)).body).toBe(path);
    await pause(80);
  }
});

test("an endpoint that declines an upgrade and breaks off leaves no client waiting", async () => {
  const endpoint = await rawEndpoint((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", () => socket.destroy());
  });
  await stage.proxy.apply(tableWith(port, [endpoint]));
  const begun = performance.now();
  const heard = await raw("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", port, 20_000);
  expect(heard).toMatch(/^HTTP\/1\.1 200 [\s\S]*half$/);
  expect(performance.now() - begun).toBeLessThan(20_000);
});

test("what a trailer must not say is not passed on, either way", async () => {
  const heard: string[] = [];
  const endpoint = await rawEndpoint((socket, text) => {
    heard.push(text);
    if (!heard.join("").includes("\r\n0\r\n")) return;
    const trailers = "X-Sum: 7\r\nSet-Cookie: a=1\r\nAuthorization: b\r\n";
    const head = "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n";
    socket.write(`${head}\r\n2\r\nok\r\n0\r\n${trailers}\r\n`);
  });
  await stage.proxy.apply(tableWith(port, [endpoint]));
  const answer = await raw(
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Own: 1\r\nHost: b\r\nX-Forwarded-For: c\r\n\r\n",
  );
  expect(heard.join("").split("\r\n0\r\n")[1]).toBe("X-Own: 1\r\n\r\n");
  expect(answer.split("\r\n0\r\n")[1]).toBe("X-Sum: 7\r\n\r\n");
});

const expecting = (expect: string, end = "\r\n") =>
  `POST / HTTP/1.1\r\nHost: a\r\nExpect: ${expect}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n${end}`;

test("the body is asked for once there is somebody to send it to, and only once", async () => {
  const gone = await stage.serve("127.126.1.1", () => undefined);
  gone.close();
  const server = await stage.serve("127.126.1.2", (request, response) => {
    expect(request.headers.expect).toBeUndefined();
    request.pipe(response);
  });
  await stage.proxy.apply(tableWith(port, [gone.endpoint, server.endpoint]));
  for (let i = 0; i < 6; i++) {
    const heard = await raw(expecting("100-continue", "ok"));
    expect(heard.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 100", "HTTP/1.1 200"]);
    expect(heard).toContain("ok");
  }
});

test("nobody is asked for a body that nobody takes", async () => {
  await stage.proxy.apply(tableWith(port, []));
  const [heard, strange] = await Promise.all([raw(expecting("100-continue", ""), port, 3000), raw(expecting("magic"))]);
  expect(heard.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 503"]);
  expect(strange.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 417"]);
});

test("information before the answer is not the answer", async () => {
  const endpoint = await rawEndpoint((socket) => {
    socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  await stage.proxy.apply(tableWith(port, [endpoint]));
  expect(await ask(port, "/")).toMatchObject({ status: 200, body: "ok" });
});

test("an endpoint that never answers costs its own requests, until the route's time is over", async () => {
  const silent = await rawEndpoint(() => undefined);
  const listener = gateway(freshPort(), rule({ backendTimeout: 80 }));
  await stage.proxy.apply(tableWith(port, [silent], { gateways: [listener] }));
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(listener.port, "/")));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([504]));
});

test("a client that never reads holds the endpoint back, and what it left is let go", async () => {
  const piece = Buffer.alloc(64 * 1024);
  let written = 0;
  let gone = false;
  const server = await stage.serve("127.126.1.1", (_, response) => {
    const more = () => {
      while (response.write(piece)) written += piece.length;
      written += piece.length;
    };
    response.on("drain", more).on("close", () => {
      gone = true;
    });
    more();
  });
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  const socket = netConnect(port, serviceAddress, () => {
    socket.pause();
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  });
  let before = -1;
  await expect
    .poll(
      () => {
        const still = written === before && written > 0;
        before = written;
        return still;
      },
      { interval: 200, timeout: 5000 },
    )
    .toBe(true);
  expect(written).toBeLessThan(64 * 1024 * 1024);
  socket.destroy();
  await expect.poll(() => gone).toBe(true);
});

test("a thousand connections at once are all answered", async () => {
  const server = await stage.serve("127.126.1.1", async (_, response) => {
    await pause(100);
    response.end("ok");
  });
  await stage.proxy.apply(tableWith(port, [server.endpoint]));
  const answers = await Promise.all(Array.from({ length: 1000 }, () => ask(port, "/")));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
}, 30_000);
