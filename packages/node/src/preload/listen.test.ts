import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const host = "127.96.250.9";
const listensOn = (listen: string, env: Record<string, string> = { HOST: host }) => {
  const script = `const net = require("node:net"), http = require("node:http"); const server = http.createServer();
    ${listen.replace(/\)$/, ", () => { console.log(JSON.stringify(server.address())); process.exit(); })")}`;
  const out = execFileSync(
    process.execPath,
    [`--require=${join(import.meta.dirname, "container.cjs")}`, "-e", script],
    {
      env: { PATH: process.env.PATH ?? "", ...env },
    },
  );
  return (JSON.parse(String(out)) as { address: string }).address ?? JSON.parse(String(out));
};

test.each([
  "server.listen(0)",
  'server.listen(0, "0.0.0.0")',
  'server.listen(0, "::")',
  'server.listen(0, "localhost")',
  'server.listen("0")',
  "server.listen(0, undefined)",
  "server.listen(0, 511)",
  "server.listen({ port: 0 })",
  'server.listen({ port: 0, host: "0.0.0.0" })',
])("%s listens on the pod's address", (listen) => expect(listensOn(listen)).toBe(host));
test.each(['server.listen(0, "127.0.0.1")', 'server.listen({ port: 0, host: "127.0.0.1" })'])(
  "%s stays where it is",
  (listen) => expect(listensOn(listen)).toBe("127.0.0.1"),
);
test("without an address nothing changes", () =>
  expect(["::", "0.0.0.0"]).toContain(listensOn("server.listen(0)", {})));
test("a socket of the file system stays one", () => {
  const path = `/tmp/preload-${process.pid}.sock`;
  expect(listensOn(`server.listen(${JSON.stringify(path)})`)).toBe(path);
});
