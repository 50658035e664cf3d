import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const host = "127.96.250.9";

/** The address that a server on 127.0.0.1 sees; `call` gets its port, and ends with `done()`. */
const seenFrom = (call: string, env: Record<string, string> = { HOST: host }) => {
  const script = `const net = require("node:net"), http = require("node:http");
    const server = http.createServer((request, response) => response.end(request.socket.remoteAddress));
    server.listen(0, "127.0.0.1", async () => {
      const { port } = server.address();
      const show = (text) => { process.stdout.write(text); process.exit(); };
      const read = (response) => response.setEncoding("utf8").on("data", show);
      const raw = (socket) => socket.setEncoding("utf8").on("data", (text) => show(text.split("\\r\\n\\r\\n")[1].split("\\r\\n")[0]))
        .write("GET / HTTP/1.0\\r\\n\\r\\n");
      ${call}
    });`;
  const args = [`--require=${join(import.meta.dirname, "container.cjs")}`, "-e", script];
  return execFileSync(process.execPath, args, { env: { PATH: process.env.PATH ?? "", ...env }, encoding: "utf8" });
};

describe("a connection comes from the pod's address", () => {
  test.each([
    ["http", `http.get({ port, host: "127.0.0.1" }, read);`],
    ["http by name", `http.get({ port, host: "localhost", family: 4 }, read);`],
    ["http by a name with several addresses", `http.get("http://localhost:" + port, read);`],
    ["fetch", `show(await (await fetch("http://127.0.0.1:" + port)).text());`],
    ["fetch by name", `show(await (await fetch("http://localhost:" + port)).text());`],
    ["net", `raw(net.connect(port, "127.0.0.1"));`],
    [
      "the second one",
      `net.connect(port, "127.0.0.1").on("connect", () => http.get({ port, host: "127.0.0.1" }, read));`,
    ],
  ])("%s", (_what, call) => expect(seenFrom(call)).toBe(host));

  test("TLS, also when it is the first", () =>
    expect(
      seenFrom(`const plain = net.createServer((socket) => show(socket.remoteAddress)).listen(0, "127.0.0.1", () =>
        require("node:tls").connect({ port: plain.address().port, host: "127.0.0.1" }).on("error", () => {}));`),
    ).toBe(host));
});

describe("it stays as it was", () => {
  test("from an address that the program has chosen", () =>
    expect(seenFrom(`http.get({ port, host: "127.0.0.1", localAddress: "127.0.0.7" }, read);`)).toBe("127.0.0.7"));
  test.each(["", "10.0.0.1", "localhost", "::1", "127.0.0.1"])("when HOST is %j", (HOST) =>
    expect(seenFrom(`http.get({ port, host: "127.0.0.1" }, read);`, { HOST })).toBe("127.0.0.1"),
  );
  test("to ::1", () =>
    expect(
      seenFrom(`const six = net.createServer((socket) => show(socket.remoteAddress)).on("error", () => show("::1"))
        .listen(0, "::1", () => net.connect(six.address().port, "::1"));`),
    ).toBe("::1"));
  test("to a socket of the file system", () =>
    expect(
      seenFrom(`const path = "/tmp/local-address-" + process.pid + ".sock";
        net.createServer((socket) => show("fine")).listen(path, () => net.connect(path));`),
    ).toBe("fine"));
  test("when the system refuses the address", () =>
    expect(
      seenFrom(`const socket = net.connect(port, "127.0.0.1");
        const { bind } = Object.getPrototypeOf(socket._handle);
        Object.getPrototypeOf(socket._handle).bind = function (address, ...rest) { return bind.call(this, "192.0.2.1", ...rest); };
        raw(socket);`),
    ).toBe("127.0.0.1"));
});
