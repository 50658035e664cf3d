// The package pg, against a server that speaks just enough of PostgreSQL's protocol to answer or refuse.
import { expect, test } from "vitest";
import { drawn, type SeenSpan, traced } from "./traced.fixture.ts";

/** Answers every query with no rows; one with "broken" in it with an error; each connection after a moment. */
const server = `
  import net from "node:net";
  import { setTimeout as pause } from "node:timers/promises";
  const message = (type, ...parts) => {
    const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
    const head = Buffer.alloc(5);
    head.write(type); head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  const ready = message("Z", "I");
  const refusal = message("E", "SERROR\\0C42P01\\0Mrelation does not exist\\0\\0");
  const callers = [];
  const database = net.createServer((socket) => {
    callers.push(socket.remoteAddress);
    let started = false, buffered = Buffer.alloc(0), broken = false;
    socket.on("data", async (data) => {
      buffered = Buffer.concat([buffered, data]);
      for (;;) {
        const start = started ? 1 : 0;
        if (buffered.length < start + 4 || buffered.length < start + buffered.readInt32BE(start)) return;
        const end = start + buffered.readInt32BE(start);
        const [type, body] = [started ? String.fromCharCode(buffered[0]) : "", buffered.subarray(start + 4, end).toString()];
        buffered = buffered.subarray(end);
        if (!started) { started = true; await pause(20); socket.write(Buffer.concat([message("R", [0, 0, 0, 0]), ready])); }
        if (type === "Q" || type === "P") broken = body.includes("broken");
        const done = broken ? refusal : message("C", "SELECT 0\\0");
        if (type === "Q") socket.write(Buffer.concat([done, ready]));
        if (type === "S") socket.write(Buffer.concat(broken ? [done, ready] : [message("1"), message("2"), message("n"), done, ready]));
      }
    }).on("error", () => {});
  });
  await new Promise((resolve) => database.listen(0, "127.0.0.1", resolve));
  const config = { host: "127.0.0.1", port: database.address().port, database: "shop", user: "ann", max: 1 };`;

const inSpan = (work: string) => `
  import { trace } from "@opentelemetry/api";
  import pg from "pg";
  ${server}
  const pool = new pg.Pool(config);
  await trace.getTracer("test").startActiveSpan("work", async (span) => { ${work} span.end(); });
  await pool.end();
  database.close();`;

const queries = (spans: readonly SeenSpan[]) => spans.filter(({ kind }) => kind === "client");

test("a query is a part of what asked for it", async () => {
  const { spans, stderr } = await traced({
    code: inSpan(`await pool.query("select * from orders where id = $1 and state = 'open'", [7]);`),
  });
  expect(stderr).toBe("");
  expect(drawn(spans).toSorted()).toEqual(["  client SELECT orders", "  internal pool.connect", "internal work"]);
  expect(queries(spans)[0]).toMatchObject({
    attributes: {
      "db.system.name": "postgresql",
      "db.namespace": "shop",
      "db.query.text": "select * from orders where id = $1 and state = ?",
      "db.query.summary": "SELECT orders",
      "db.operation.name": "SELECT",
      "db.collection.name": "orders",
      "server.address": "127.0.0.1",
    },
    status: { code: 0 },
  });
});

test("what PostgreSQL refuses is an error, and still the program's", async () => {
  const { spans, stdout } = await traced({
    code: inSpan(`await pool.query("select * from broken").catch((error) => process.stdout.write(error.code));`),
  });
  expect(stdout).toBe("42P01");
  expect(queries(spans)[0]).toMatchObject({
    attributes: { "error.type": "42P01", "db.response.status_code": "42P01" },
    status: { code: 2, message: "relation does not exist" },
    events: ["exception"],
  });
});

test("a rejection that nobody handles still ends the process", async () => {
  const { code, stderr } = await traced({ code: inSpan(`pool.query("broken"); await pause(200);`) });
  expect([code, stderr.includes("relation does not exist")]).toEqual([1, true]);
});

test("callbacks run in the context of who asked, also with one connection for all", async () => {
  const { spans } = await traced({
    code: `
      import { trace } from "@opentelemetry/api";
      import pg from "pg";
      ${server}
      const pool = new pg.Pool(config);
      const tracer = trace.getTracer("test");
      await Promise.all(["a", "b", "c"].map((name) => tracer.startActiveSpan(name, (span) => new Promise((resolve) =>
        pool.query("select 1 from " + name, () => { tracer.startSpan("after " + name).end(); span.end(); resolve(); })))));
      await pool.end();
      database.close();`,
  });
  const parts = drawn(spans).filter((line) => !line.includes("pool.connect"));
  expect(parts.filter((line) => !line.startsWith(" "))).toHaveLength(3);
  for (const name of ["a", "b", "c"]) {
    const from = parts.indexOf(`internal ${name}`);
    expect(parts.slice(from + 1, from + 3).toSorted()).toEqual([`  client SELECT ${name}`, `  internal after ${name}`]);
  }
});

test("a query that nobody waits for is not recorded", async () => {
  const code = `import pg from "pg"; ${server} const pool = new pg.Pool(config); await pool.query("select 1");
    await pool.end(); database.close();`;
  expect((await traced({ code })).spans).toEqual([]);
});

test("connections come from the pod's address", async () => {
  const code = `import pg from "pg"; ${server} const client = new pg.Client(config); await client.connect();
    console.log(callers.join()); await client.end(); database.close();`;
  expect((await traced({ code, env: { HOST: "127.96.250.9" } })).stdout).toBe("127.96.250.9\n");
});
