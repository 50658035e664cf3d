import { simulation } from "@flotilla/ambient";
import type { Api } from "@flotilla/client";
import { Losses } from "@flotilla/telemetry";
import { beforeEach, expect, test } from "vitest";
import { Forwarding } from "./forwarding.ts";

let said: string[];
let token: string;
let forwarding: Forwarding;
beforeEach(() => {
  said = [];
  token = "a";
  const get = async () => ({ data: { headers: Buffer.from(`authorization=${token}`).toString("base64") } });
  forwarding = new Forwarding({
    ...simulation(1),
    api: { get } as unknown as Pick<Api, "get">,
    losses: new Losses(),
    log: () => undefined,
    start: ({ endpoint, headers }) => {
      said.push(`start ${endpoint} ${headers?.authorization ?? ""}`.trim());
      return {
        send: (signal) => said.push(`${signal} to ${endpoint}`),
        state: () => ({ endpoint, queuedRequests: 0, queuedBytes: 0, sentRequests: 0, dropped: 0 }),
        close: async () => void said.push(`close ${endpoint}`),
      };
    },
  });
});

const a = { endpoint: "http://a" };
const withSecret = { ...a, headers: { namespace: "shop", secret: "s", key: "headers" } };

test("nowhere at first", () => {
  forwarding.send("logs", new Uint8Array());
  expect([said, forwarding.state]).toEqual([[], undefined]);
});

test("the same destination again goes on as it is", async () => {
  await forwarding.to(withSecret);
  await forwarding.to({ ...withSecret });
  forwarding.send("logs", new Uint8Array());
  expect(said).toEqual(["start http://a a", "logs to http://a"]);
});

test("another destination, another secret, none at all", async () => {
  await forwarding.to(a);
  await forwarding.to(withSecret);
  token = "b";
  await forwarding.to(withSecret);
  await forwarding.to(undefined);
  expect(said).toEqual([
    "start http://a",
    "start http://a a",
    "close http://a",
    "start http://a b",
    "close http://a",
    "close http://a",
  ]);
  expect(forwarding.state).toBeUndefined();
});
