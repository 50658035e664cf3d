// What a user can get wrong, or find broken: each with one clear message, nothing lost, and the rest going on.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { load } from "./load.ts";
import { Shop, sleep } from "./shop.ts";

const manifest = '{"type": "module", "main": "server.js"}';
const server = (answer: string, more = "") =>
  `import { createServer } from "node:http";
   const server = createServer((_, response) => response.end("${answer}"));
   server.listen(process.env.PORT, process.env.HOST, () => console.log("open"));
   process.once("SIGTERM", () => server.close());
   ${more}`;
const service = (name: string, text: string) => ({ [`${name}/package.json`]: manifest, [`${name}/server.js`]: text });
const web = "web: { source: ./web, port: 3000, routes: [{ path: / }] }";
const model = (...services: string[]) => `name: app\nservices:\n${services.map((line) => `  ${line}\n`).join("")}`;

async function eventually(what: () => Promise<void>, seconds = 20): Promise<void> {
  for (let i = 0; ; i++) {
    try {
      return await what();
    } catch (error) {
      if (i >= seconds * 4) throw error;
      await sleep(250);
    }
  }
}

describe("services that do not work", () => {
  let app: Shop;
  let told: { code: number; out: string };
  beforeAll(async () => {
    app = await Shop.of({
      "flotilla.yaml": model(
        web,
        "crash: { source: ./crash, port: 3000 }",
        "never: { source: ./never, port: 3000, probes: { readiness: { http: /readyz } } }",
        "elsewhere: { source: ./elsewhere, port: 3000 }",
        "broken: { source: ./broken, port: 3000 }",
        "absent: { source: ./absent, port: 3000 }",
      ),
      ...service("web", server("good")),
      ...service("crash", 'console.log("looking for the moon"); throw new Error("there is no moon");'),
      ...service("never", server("x").replace("response.end", "response.writeHead(500).end")),
      ...service("elsewhere", server("x").replace("process.env.PORT", "3999")),
      ...service("broken", server("x")),
      "broken/package.json": "{",
    });
    told = await app.flotilla("up", "--detach", "--port", String(app.port));
  }, 90_000);
  afterAll(() => app?.close(), 60_000);

  test("up says what is not ready", () =>
    expect([told.code, told.out]).toEqual([1, expect.stringContaining("Not ready:")]));
  test.each([
    [
      "crash",
      /crash: failing: it exited with code 1.*\n( {2}\|.*\n)*? {2}\| looking for the moon\n( {2}\|.*\n)* {2}\| Error: there is no moon/,
    ],
    ["never", /never: failing: .*\n( {2}\|.*\n)*? {2}\| open\n( {2}\|.*\n)* {2}\| Readiness probe failed: HTTP .* 500/],
    ["elsewhere", /elsewhere: failing: .*listens on .*:3999, not on its port 3000; listen on \$HOST:\$PORT/],
    ["broken", /broken: failing: .*broken\/package\.json: /],
    ["absent", /absent: failing: .*absent: there is no such folder/],
  ])("%s is named, with why", (_, words) => expect(told.out.slice(told.out.indexOf("Not ready:"))).toMatch(words));
  test("the rest goes on", async () => expect(await (await fetch(app.url)).text()).toBe("good"));
  test("status says the same", async () => {
    const { out, code } = await app.flotilla("status");
    expect(code).toBe(0);
    expect(out).toMatch(/^web +ready/m);
    expect(out).toMatch(/crash: failing: it exited(.*\n)+?.*there is no moon/);
  });
});

describe("an app that runs", () => {
  let app: Shop;
  const up = () => app.flotilla("up", "--detach", "--port", String(app.port));
  const state = (...path: string[]) => join(app.dir, ".flotilla", ...path);
  beforeAll(async () => {
    app = await Shop.of({ "flotilla.yaml": model(web), ...service("web", server("one")) });
  });
  afterAll(() => app?.close(), 60_000);

  test("two commands at once start one cluster", async () => {
    const both = await Promise.all([up(), up()]);
    expect(both.map(({ code, err }) => ({ code, err }))).toEqual([
      { code: 0, err: "" },
      { code: 0, err: "" },
    ]);
    expect(both.filter(({ out }) => out.includes("It runs already"))).toHaveLength(1);
  });

  test("an edit that breaks a service costs no request, is named, and the next one repairs it", async () => {
    const flow = load(app.url, 50, true);
    app.write("web/server.js", "const x = ;");
    await eventually(async () =>
      expect((await app.flotilla("status")).out).toMatch(/web: failing: (.*\n)+?.*SyntaxError: Unexpected token/),
    );
    app.write("web/server.js", server("two"));
    await eventually(async () => expect(await (await fetch(app.url)).text()).toBe("two"));
    const { failures } = await flow.stop();
    expect(failures).toEqual([]);
  }, 60_000);

  test("a mistake in the model is named, and what runs goes on", async () => {
    app.write("flotilla.yaml", model("web: { source: ./web, port: 99999, routes: [{ path: / }] }"));
    await eventually(async () =>
      expect((await app.flotilla("status")).out).toMatch(/services\.web\.port: 99999 is not/),
    );
    expect(await app.flotilla("up", "--detach")).toMatchObject({ code: 1, err: expect.stringContaining("99999") });
    expect(await (await fetch(app.url)).text()).toBe("two");
    app.write("flotilla.yaml", model(web));
    await eventually(async () => expect((await app.flotilla("status")).out).not.toContain("(model)"));
  }, 60_000);

  test("an agent that was killed leaves no lock behind, and no process", async () => {
    const { pid } = JSON.parse(readFileSync(state("agent.json"), "utf8")) as { pid: number };
    process.kill(pid, "SIGKILL");
    await eventually(async () => expect(app.processes()).toEqual([]));
    expect((await app.flotilla("status")).err).toMatch(/^Nothing runs in .*Start it with: flotilla up$/m);
    expect((await up()).code).toBe(0);
  }, 60_000);

  test.each([
    ["cluster.json", /cluster\.json is damaged; nothing was deleted\. .*--reset/],
    ["certificates/ca.crt", /certificates is damaged .*nothing was deleted\. .*move it away/],
    ["certificates/server.key", /certificates is damaged .*nothing was deleted\. .*move it away/],
    ["state.db", /state\.db is damaged .*nothing was deleted\./],
  ])(
    "a damaged %s is named and left as it is",
    async (file, words) => {
      await app.flotilla("down");
      const good = readFileSync(state(file));
      app.write(`.flotilla/${file}`, "garbage".repeat(1000));
      const { code, err } = await up();
      expect([code, err]).toEqual([1, expect.stringMatching(words)]);
      expect(readFileSync(state(file), "utf8")).toBe("garbage".repeat(1000));
      await app.flotilla("down");
      writeFileSync(state(file), good);
      expect((await up()).code).toBe(0);
    },
    60_000,
  );
});

describe("the command line", () => {
  let app: Shop;
  beforeAll(async () => {
    app = await Shop.of({ "flotilla.yaml": model(web), "web/server.js": "", "empty/x": "" });
  });
  afterAll(() => app?.close(), 60_000);

  test.each([
    [["up", "--port", "abc"], 2, /a port is a number from 1 to 65535/],
    [["up", "--timeout", "-1"], 2, /a number of seconds/],
    [["up", "--prot", "8080"], 2, /unknown option '--prot'/],
    [["up", "nowhere"], 1, /There is no folder .*nowhere/],
    [["status"], 1, /Nothing runs in .*Start it with: flotilla up/],
    [["logs", "--since", "yesterday"], 2, /--since yesterday: a duration is a number with a unit/],
    [["render", "-e", "nowhere"], 1, /no environment "nowhere"/],
    [["stats"], 2, /unknown command 'stats'/],
  ] as [string[], number, RegExp][])("flotilla %s", async (args, code, words) => {
    const answer = await app.flotilla(...args);
    expect([answer.code, answer.err]).toEqual([code, expect.stringMatching(words)]);
    expect(answer.err).not.toMatch(/^ +at /m);
  });
});
