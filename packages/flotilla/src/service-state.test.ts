import type { App } from "@flotilla/objects";
import { expect, test } from "vitest";
import { isSettled, isStuck, type State, serviceStates } from "./service-state.ts";

const app = (status: object, metadata: object = { generation: 1 }): App =>
  ({ metadata: { name: "shop", ...metadata }, spec: { services: { web: {}, orders: {} } }, status }) as unknown as App;
const states = (services: object, builds: object) =>
  serviceStates(app({ services, builds })).map(({ name, state, message }) =>
    [name, state, message].filter(Boolean).join(" "),
  );

test.each([
  ["nothing is known", {}, {}, ["web waiting", "orders waiting"]],
  [
    "a build goes before pods",
    { web: { state: "starting" } },
    { web: { state: "building" } },
    ["web building", "orders waiting"],
  ],
  [
    "an old reason is not the build's",
    { web: { state: "failing", message: "it exited" } },
    { web: { state: "building" } },
    ["web building", "orders waiting"],
  ],
  [
    "what runs is not hidden by its next build",
    { web: { state: "ready" } },
    { web: { state: "building" } },
    ["web ready", "orders waiting"],
  ],
  [
    "a build that failed",
    { web: { state: "ready" } },
    { web: { state: "failed", message: "no" } },
    ["web failing no", "orders waiting"],
  ],
  [
    "left out",
    {},
    { orders: { state: "left out", message: "needs python3" } },
    ["web waiting", "orders left out needs python3"],
  ],
  [
    "parts that are no services follow",
    { "db-postgres": { state: "ready" } },
    {},
    ["web waiting", "orders waiting", "db-postgres ready"],
  ],
])("%s", (_, services, builds, expected) => expect(states(services, builds)).toEqual(expected));

const all = (...each: State[]) => each.map((state, i) => ({ name: `${i}`, state }));
test.each([
  ["all is ready", all("ready", "done", "left out"), 1, true],
  ["one starts", all("ready", "starting"), 1, false],
  ["the status is older than what is asked for", all("ready"), 0, false],
])("settled: %s", (_, parts, observedGeneration, expected) =>
  expect(isSettled(app({ observedGeneration }), parts)).toBe(expected),
);

test.each([
  ["a failure, and the rest is ready", all("failing", "ready"), true],
  ["a failure, and one that waits for it", all("failing", "waiting"), true],
  ["a failure, and one under way", all("failing", "starting"), false],
  ["no failure", all("waiting", "ready"), false],
])("stuck: %s", (_, parts, expected) => expect(isStuck(parts)).toBe(expected));
