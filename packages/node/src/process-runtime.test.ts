import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { sleep, systemClock } from "@flotilla/ambient";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { namespacesWork } from "./namespaces.ts";
import { processRuntime } from "./process-runtime.ts";
import { processTable } from "./process-table.ts";
import { runtimeCases } from "./runtime.cases.ts";
import { specOf } from "./runtime.fixtures.ts";
import type { Runtime } from "./runtime.ts";

const asRoot = process.getuid?.() === 0;
const variants = namespacesWork(!asRoot) ? (["namespaced", "plain"] as const) : (["plain"] as const);
const node = (script: string) => ["node", "-e", script];

for (const variant of variants)
  runtimeCases({
    name: `process, ${variant}`,
    make: (folder) =>
      processRuntime({ clock: systemClock, stateDir: join(folder, "state"), nodeBinary: process.execPath, variant }),
    pass: (ms) => sleep(systemClock, ms),
    commands: {
      serve: ["sh", "-c", "sleep 60 & trap 'kill $!; exit 0' TERM; wait"],
      stubborn: ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"],
      fails: ["sh", "-c", "exit 3"],
      missing: ["no-such-command"],
      hungry: node("const held = []; setInterval(() => held.push(Buffer.alloc(1 << 24, 1)), 5)"),
    },
  });

test.each(variants)("%s: a log that cannot be written leaves no process behind", async (variant) => {
  const folder = mkdtempSync(join(tmpdir(), "unlogged-"));
  const stateDir = join(folder, "state");
  const runtime = processRuntime({ clock: systemClock, stateDir, nodeBinary: process.execPath, variant });
  try {
    writeFileSync(join(folder, "file"), "");
    const spec = { ...specOf(folder, "unlogged", ["sleep", "61.25"]), logPath: join(folder, "file", "0.log") };
    await expect(runtime.start(spec)).rejects.toThrow("EEXIST");
    expect(alive("61.25")).toEqual([]);
    expect(await runtime.list()).toEqual([]);
  } finally {
    await runtime.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

const alive = (marker: string) =>
  processTable().filter(({ pid }) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(marker);
    } catch {
      return false;
    }
  });

describe.runIf(variants.length > 1)("namespaces", () => {
  let folder: string;
  let runtime: Runtime;
  const stateDir = () => join(folder, "state");
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "namespaces-"));
    runtime = processRuntime({ clock: systemClock, stateDir: stateDir(), nodeBinary: process.execPath });
  });
  afterEach(async () => {
    await runtime.close();
    rmSync(folder, { recursive: true, force: true });
  });
  /** What a script prints. */
  const run = async (script: string, more: Parameters<typeof specOf>[3] = {}) => {
    const ended = new Promise<number>((resolve) => {
      const stop = runtime.watch(({ exit }) => {
        stop();
        resolve(exit.exitCode);
      });
    });
    const spec = specOf(folder, `run-${Math.trunc(performance.now() * 1000)}`, ["sh", "-c", script], more);
    await runtime.start(spec);
    const code = await ended;
    const lines = readFileSync(spec.logPath, "utf8").split("\n").filter(Boolean);
    return { code, lines: lines.map((line) => line.replace(/^\S+ \S+ \S /, "")) };
  };
  const folderWith = (name: string, files: Record<string, string>) => {
    mkdirSync(join(folder, name), { recursive: true });
    for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, name, file), content);
    return join(folder, name);
  };

  test("a folder that only the agent may enter is seen at its path by another user", async () => {
    const source = folderWith("private/app", { "main.js": "hello" });
    chmodSync(join(folder, "private"), 0o700);
    const mounts = [{ source, target: "/app", readOnly: true }];
    const { lines } = await run("id -u; cat main.js; echo; touch x 2> /dev/null || echo refused", {
      mounts,
      workingDir: "/app",
      user: { uid: 10001, groups: [] },
    });
    expect(lines).toEqual(["10001", "hello", "refused"]);
  });
  test("a mount inside a read-only mount that has no place for it", async () => {
    const app = folderWith("app", { "main.js": "main" });
    const modules = folderWith("modules", { "left-pad": "pad" });
    const config = join(folderWith("config", { "a.json": "{}" }), "a.json");
    const mounts = [
      { source: config, target: "/app/config/a.json", readOnly: true },
      { source: modules, target: "/app/node_modules", readOnly: true },
      { source: app, target: "/app", readOnly: true },
    ];
    const { lines } = await run(
      "cat /app/main.js; echo; cat /app/node_modules/left-pad; echo; cat /app/config/a.json",
      { mounts },
    );
    expect(lines).toEqual(["main", "pad", "{}"]);
  });
  test("a read-only root refuses writes, also in /tmp", async () => {
    const { lines } = await run("touch /x 2> /dev/null || echo no; touch /tmp/x 2> /dev/null || echo no", {
      readOnlyRoot: true,
    });
    expect(lines).toEqual(["no", "no"]);
  });
  test("a volume at /mnt, where the machine's root was for a moment", async () => {
    const mounts = [{ source: folderWith("data", { "a.txt": "mine" }), target: "/mnt", readOnly: true }];
    expect((await run("ls -A /mnt; cat /mnt/a.txt; echo; grep -c /mnt /proc/self/mounts", { mounts })).lines).toEqual([
      "a.txt",
      "mine",
      "1",
    ]);
    expect((await run("ls -A /mnt | wc -l")).lines).toEqual(["0"]);
  });
  test("every user may pass through the folders of the root, and only root may write there", async () => {
    const { lines } = await run(
      "ls -d /etc /dev /var; touch /etc/x 2> /dev/null || echo no; stat -c %a /etc /tmp /dev/shm",
      {
        user: { uid: 1234, groups: [] },
      },
    );
    expect(lines).toEqual(["/dev", "/etc", "/var", "no", "755", "1777", "1777"]);
  });
  test("a private /tmp is writable for every user", async () => {
    expect((await run("echo a > /tmp/x; cat /tmp/x", { user: { uid: 1234, groups: [] } })).lines).toEqual(["a"]);
  });
  test("the machine's secrets, processes and temporary files are not seen", async () => {
    const { lines } = await run("ls /etc/shadow /root/.ssh 2> /dev/null; ls /tmp | wc -l; ls -d /proc/[0-9]* | wc -l");
    expect(lines[0]).toBe("0");
    expect(Number(lines[1])).toBeLessThan(6);
  });
  test("standard output and error can be opened by their names, by every user", async () => {
    const { lines } = await run("echo one > /dev/stdout; echo two > /dev/stderr; echo three", {
      user: { uid: 1234, groups: [] },
    });
    expect(lines.toSorted()).toEqual(["one", "three", "two"]);
  });
  test("all that was printed is in the log when the end is told", async () => {
    expect((await run("seq 1 20000")).lines.at(-1)).toBe("20000");
  });
  test("environment names that no shell knows pass", async () => {
    const { lines } = await run("tr '\\0' '\\n' < /proc/$$/environ | grep -c '^app[.]name=a b$'", {
      env: { "app.name": "a b", OTHER: "x" },
    });
    expect(lines).toEqual(["1"]);
  });
  test("Node.js is there, with its stdin and signals as usual", async () => {
    const { lines } = await run("command -v node; node -p 1+1");
    expect(lines).toEqual(["/usr/local/bin/node", "2"]);
  });
  test("a missing working folder is named", async () => {
    const source = folderWith("app", {});
    await expect(
      runtime.start(
        specOf(folder, "x", ["true"], {
          workingDir: "/app/none",
          mounts: [{ source, target: "/app", readOnly: true }],
        }),
      ),
    ).rejects.toThrow("/app/none");
  });
  test("exec has the container's files, user, environment and terminal", async () => {
    const mounts = [{ source: folderWith("app", { here: "" }), target: "/app", readOnly: true }];
    await runtime.start(
      specOf(folder, "x", ["sleep", "60"], { mounts, workingDir: "/app", user: { uid: 77, groups: [] } }),
    );
    const session = await runtime.exec("x", ["sh", "-c", "ls; id -u; echo $GREETING; tty; stty size; exit 9"], {
      tty: true,
      size: { columns: 100, rows: 30 },
    });
    const [out, code] = await Promise.all([text(session.stdout), session.exited]);
    expect({ out, code }).toEqual({ out: "here\r\n77\r\nhello\r\n/dev/pts/0\r\n30 100\r\n", code: 9 });
  });
  test("a terminal is told its new size, echoes once, and passes Ctrl-C to the program", async () => {
    await runtime.start(specOf(folder, "x", ["sleep", "60"], {}));
    const script = "trap 'stty size' WINCH; trap 'exit 3' INT; read line; echo got $line; while :; do sleep 0.05; done";
    const session = await runtime.exec("x", ["sh", "-c", script], { tty: true, stdin: true });
    let out = "";
    session.stdout.on("data", (chunk: Buffer) => {
      out += chunk;
    });
    const shows = async (wanted: string) => {
      for (let i = 0; i < 200 && !out.includes(wanted); i++) await sleep(systemClock, 20);
      expect(out).toContain(wanted);
    };
    session.stdin?.write("typed\n");
    await shows("got typed");
    session.resize(90, 20);
    await shows("20 90");
    session.stdin?.write("\u0003");
    expect(await session.exited).toBe(3);
    expect(out.match(/typed/g)).toHaveLength(2);
  });
  test("a command that is not there is said on the terminal", async () => {
    await runtime.start(specOf(folder, "x", ["sleep", "60"], {}));
    const session = await runtime.exec("x", ["none"], { tty: true });
    expect(await text(session.stdout)).toBe('exec: "none": executable file not found in $PATH\r\n');
    expect(await session.exited).toBe(127);
  });
  test("whoever leaves a terminal takes its programs along", async () => {
    await runtime.start(specOf(folder, "x", ["sleep", "60"], {}));
    const session = await runtime.exec("x", ["sh", "-c", "echo here; sleep 63; :"], { tty: true });
    await new Promise((resolve) => session.stdout.once("data", resolve));
    for (let i = 0; i < 100 && alive("sleep\u000063").length < 1; i++) await sleep(systemClock, 20);
    expect(alive("sleep\u000063")).toHaveLength(1);
    session.kill();
    await session.exited;
    for (let i = 0; i < 100 && alive("sleep\u000063").length > 0; i++) await sleep(systemClock, 20);
    expect(alive("sleep\u000063")).toEqual([]);
  });
  test.runIf(asRoot)("a port below 1024 when the capability was added", async () => {
    const { lines } = await run("grep CapAmb /proc/self/status | cut -f 2", {
      user: { uid: 77, groups: [] },
      capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
    });
    expect(lines).toEqual(["0000000000000400"]);
  });
});

for (const variant of variants)
  test(`when the agent is killed, nothing is left (${variant})`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "killed-"));
    const marker = `marker-${process.pid}-${variant}`;
    const agent = `
      import { processRuntime } from ${JSON.stringify(join(import.meta.dirname, "process-runtime.ts"))};
      import { specOf } from ${JSON.stringify(join(import.meta.dirname, "runtime.fixtures.ts"))};
      import { systemClock } from "@flotilla/ambient";
      const runtime = processRuntime({ clock: systemClock, stateDir: ${JSON.stringify(join(folder, "state"))}, nodeBinary: process.execPath, variant: "${variant}" });
      await runtime.start(specOf(${JSON.stringify(folder)}, "${marker}", ["sh", "-c", "${variant === "plain" ? "" : "setsid "}sh -c 'sleep 61; : ${marker}' & sleep 61; : ${marker}"]));
      console.log("started");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", agent], {
      cwd: import.meta.dirname,
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await sleep(systemClock, 200);
    expect(alive(marker).length).toBeGreaterThan(2);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    await sleep(systemClock, 300);
    // Without namespaces a grandchild outlives the agent until the next one starts.
    if (variant === "plain")
      await processRuntime({
        clock: systemClock,
        stateDir: join(folder, "state"),
        nodeBinary: process.execPath,
        variant,
      }).close();
    await sleep(systemClock, 100);
    const left = alive(marker);
    for (const { pid } of left) process.kill(pid, "SIGKILL");
    expect(left).toEqual([]);
    rmSync(folder, { recursive: true, force: true });
  });

/** As root, one may see what happens to somebody else. */
const somebody = ["--reuid", "12345", "--regid", "12345", "--clear-groups"];
const canSee = () => spawnSync("setpriv", [...somebody, "test", "-r", import.meta.filename]).status === 0;

test.runIf(asRoot && canSee())("without root, in a user namespace", () => {
  const folder = mkdtempSync(join(tmpdir(), "rootless-"));
  chmodSync(folder, 0o777);
  const script = `
    import { text } from "node:stream/consumers";
    import { processRuntime } from ${JSON.stringify(join(import.meta.dirname, "process-runtime.ts"))};
    import { specOf } from ${JSON.stringify(join(import.meta.dirname, "runtime.fixtures.ts"))};
    import { systemClock } from "@flotilla/ambient";
    const folder = ${JSON.stringify(folder)};
    const runtime = processRuntime({ clock: systemClock, stateDir: folder + "/state", nodeBinary: process.execPath });
    await runtime.start(specOf(folder, "a", ["sleep", "60"], { user: { uid: 999, groups: [] } }));
    const session = await runtime.exec("a", ["sh", "-c", "id -u; hostname; touch /tmp/x && echo wrote; ls /root"], {});
    const [out, errors] = await Promise.all([text(session.stdout), text(session.stderr)]);
    const terminal = await runtime.exec("a", ["sh", "-c", "tty; stty size"], { tty: true, size: { columns: 99, rows: 9 } });
    const shown = await text(terminal.stdout);
    console.log(JSON.stringify({ variant: runtime.variant, out: out.split("\\n"), errors, shown }));
    await runtime.close();`;
  const child = spawnSync("setpriv", [...somebody, process.execPath, "--input-type=module-typescript", "-e", script], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  });
  rmSync(folder, { recursive: true, force: true });
  expect(child.stderr).toBe("");
  const said = JSON.parse(child.stdout) as { variant: string };
  if (said.variant === "namespaced")
    expect(said).toEqual({
      variant: "namespaced",
      out: ["999", "pod", "wrote", ""],
      errors: "",
      shown: "/dev/pts/0\r\n9 99\r\n",
    });
});
