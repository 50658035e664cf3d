import type { HttpApi } from "@flotilla/client";
import type { Pod } from "@flotilla/objects";
import { expect, test } from "vitest";
import { hint, lastOutput, outputs, tellingLines, troubled } from "./last-output.ts";

const pod = (name: string, status: object, created = "2026-01-01T00:00:00Z"): Pod =>
  ({
    metadata: { name, namespace: "shop", uid: name, creationTimestamp: created },
    spec: { containers: [] },
    status,
  }) as unknown as Pod;
const container = (state: object, more: object = {}) => ({
  name: "web",
  ready: false,
  restartCount: 0,
  state,
  ...more,
});
const running = { running: {} };
const ended = { terminated: { exitCode: 1 } };
const asked = (...pods: Pod[]) => {
  const found = troubled(pods);
  return found && `${found.pod.metadata.name} ${found.container}${found.previous ? " previous" : ""}`;
};

test.each([
  ["nothing to ask", [pod("a", { containerStatuses: [container({ waiting: {} })] })], undefined],
  ["one that runs", [pod("a", { containerStatuses: [container(running)] })], "a web"],
  [
    "one that has ended",
    [pod("a", { containerStatuses: [container({ waiting: {} }, { lastState: ended })] })],
    "a web",
  ],
  [
    "started again: the run before",
    [pod("a", { containerStatuses: [container(running, { lastState: ended })] })],
    "a web previous",
  ],
  [
    "the init container first",
    [
      pod("a", {
        initContainerStatuses: [{ ...container(ended), name: "init" }],
        containerStatuses: [container({ waiting: {} })],
      }),
    ],
    "a init",
  ],
  [
    "not the one that is well",
    [pod("a", { containerStatuses: [{ ...container(running), name: "x", ready: true }, container(running)] })],
    "a web",
  ],
  [
    "the newest pod",
    [
      pod("old", { containerStatuses: [container(running)] }),
      pod("new", { containerStatuses: [container(running)] }, "2026-01-02T00:00:00Z"),
    ],
    "new web",
  ],
] as [string, Pod[], string | undefined][])("whose log is read: %s", (_, pods, expected) =>
  expect(asked(...pods)).toBe(expected),
);

test("a runtime's own insides are left out, and the end is kept", () => {
  const log = [
    "Error: no moon",
    "    at web (file:///app/server.ts:1:1)",
    "    at node:internal/x:1",
    "",
    "Node.js v26.10.0",
  ];
  expect(tellingLines(log.join("\n"))).toEqual(log.slice(0, 2));
  expect(tellingLines(Array.from({ length: 50 }, (_, i) => `line ${i}`).join("\n")).at(-1)).toBe("line 49");
});
test.each([
  ["Error: listen EADDRINUSE: address already in use 0.0.0.0:3000", /HOST:\$PORT: 0\.0\.0\.0/],
  ["OSError: [Errno 98] Address already in use", /0\.0\.0\.0/],
  ["Cannot assign requested address", /Listen on/],
])("what it may mean: %s", (line, meaning) => expect(hint([line])).toMatch(meaning));

/** An API with one pod that does not get ready. */
const api = (log: () => string): Pick<HttpApi, "list" | "request"> =>
  ({
    list: async ({ kind }: { kind: string }) => ({
      items:
        kind === "Pod"
          ? [pod("a", { containerStatuses: [container(running)] })]
          : [
              { reason: "Unhealthy", message: "Readiness probe failed: 500", metadata: {} },
              { reason: "Started", metadata: {} },
            ],
    }),
    request: async () => ({ text: async () => log() }),
  }) as unknown as Pick<HttpApi, "list" | "request">;

test("the log, and what the probe got for an answer", async () =>
  expect(
    await lastOutput(
      api(() => "waiting for the moon\n"),
      { name: "shop" },
      "web",
    ),
  ).toEqual(["waiting for the moon", "Readiness probe failed: 500"]));
test("only what fails is asked, once for each reason, and a log that cannot be read keeps nothing back", async () => {
  let asked = 0;
  const add = outputs(
    api(() => {
      asked++;
      if (asked === 1) throw new Error("no log");
      return "words";
    }),
    { name: "shop" },
  );
  const failing = [
    { name: "web", state: "failing" as const, message: "x" },
    { name: "b", state: "ready" as const },
  ];
  expect(await add(failing)).toEqual(failing);
  for (let i = 0; i < 3; i++) expect((await add(failing))[0]?.output).toContain("words");
  expect(asked).toBe(2);
});
