// The small decisions that are made for each request: tables of cases.
import { seededRandom } from "@flotilla/ambient";
import { expect, test } from "vitest";
import { choose, chooseWeighted, eligible } from "./balance.ts";
import { afterFailure, afterSuccess, type Health, healthy, isEjected } from "./ejection.ts";
import { endToEnd, forwarded } from "./headers.ts";
import { listensEverywhere } from "./port-holder.ts";
import { RetryBudget, shouldRetry } from "./retry.ts";
import { modifyHeaders, modifyPath, redirection } from "./route-filter.ts";

const candidate = (name: string, state: "ready" | "draining", outstanding = 0, ejected = false) => ({
  name,
  state,
  outstanding,
  ejected,
});
const names = (all: readonly { name: string }[]) => all.map(({ name }) => name).join(" ");

test.each([
  ["ready ones only", [candidate("a", "ready"), candidate("b", "draining")], "a"],
  ["draining ones when none is ready", [candidate("a", "draining"), candidate("b", "draining")], "a b"],
  ["no ejected ones", [candidate("a", "ready", 0, true), candidate("b", "ready")], "b"],
  ["ejected ones when there is no other", [candidate("a", "ready", 0, true), candidate("b", "draining")], "a"],
])("eligible are %s", (_, all, expected) => expect(names(eligible(all))).toBe(expected));

test("of two, the one with less to do is always chosen; of many, the busiest never", () => {
  const random = seededRandom(1);
  const all = [candidate("a", "ready", 2), candidate("b", "ready", 1), candidate("c", "ready", 0)];
  const chosen = Array.from({ length: 300 }, () => choose(all, random)?.name);
  expect(new Set(chosen)).toEqual(new Set(["b", "c"]));
  expect(choose(all.slice(0, 2), random)?.name).toBe("b");
  expect(choose([], random)).toBeUndefined();
});

test("weights are shares; all 0 is nobody", () => {
  const random = seededRandom(1);
  const counts = { a: 0, b: 0, c: 0 };
  const choices = [
    { name: "a", weight: 3 },
    { name: "b", weight: 1 },
    { name: "c", weight: 0 },
  ] as const;
  for (let i = 0; i < 4000; i++) counts[chooseWeighted(choices, random)?.name ?? "c"]++;
  expect(counts.a / counts.b).toBeGreaterThan(2.6);
  expect(counts.a / counts.b).toBeLessThan(3.4);
  expect(counts.c).toBe(0);
  expect(chooseWeighted([{ weight: 0 }], random)).toBeUndefined();
});

const reset = { kind: "reset", method: "GET", replayable: true, resets: 0, withinBudget: true } as const;

test.each([
  [
    "no connection, whatever the method",
    { ...reset, kind: "connect", method: "POST", withinBudget: false } as const,
    true,
  ],
  ["a reset GET", reset, true],
  ["a reset PUT whose body is kept", { ...reset, method: "PUT" }, true],
  ["a reset PUT whose body is too long", { ...reset, method: "PUT", replayable: false }, false],
  ["a reset POST", { ...reset, method: "POST" }, false],
  ["a reset PATCH", { ...reset, method: "PATCH" }, false],
  ["the third reset", { ...reset, resets: 2 }, false],
  ["more than the budget", { ...reset, withinBudget: false }, false],
])("again after %s: see the table", (_, failed, expected) => expect(shouldRetry(failed)).toBe(expected));

test("the budget is a fifth of the last ten seconds' requests and ten a second, and comes back", () => {
  const budget = new RetryBudget();
  const taken = (now: number) => Array.from({ length: 1000 }, () => budget.take(now)).filter(Boolean).length;
  for (let i = 0; i < 500; i++) budget.noteRequest(1_000_000);
  expect(taken(1_001_000)).toBe(200);
  expect(taken(1_005_000)).toBe(0);
  expect(taken(1_012_000)).toBe(100);
});

const failing = (times: number, from: Health = healthy, all = 10, out = 0) =>
  Array.from({ length: times }).reduce<Health>((health) => afterFailure(health, 0, { all, out }), from);

test.each([
  ["four failures", failing(4), 0],
  ["five failures", failing(5), 30_000],
  ["five after a success", failing(4, afterSuccess(failing(4))), 0],
  ["the second time", failing(5, afterSuccess(failing(5))), 60_000],
  ["the only endpoint", failing(9, healthy, 1), 0],
  ["one of two", failing(5, healthy, 2), 30_000],
  ["another of ten", failing(5, healthy, 10, 1), 0],
  ["another of twenty", failing(5, healthy, 20, 1), 30_000],
])("ejected after %s: until %#", (_, health, until) => {
  expect(health.ejectedUntil).toBe(until);
  expect(isEjected(health, until)).toBe(false);
});

test.each([
  ["/api/x", "/api", { type: "ReplacePrefixMatch", replacePrefixMatch: "/v2" }, "/v2/x"],
  ["/api/x?q=1", "/api", { type: "ReplacePrefixMatch", replacePrefixMatch: "/" }, "/x?q=1"],
  ["/api", "/api", { type: "ReplacePrefixMatch", replacePrefixMatch: "/" }, "/"],
  ["/api", "/api", { type: "ReplacePrefixMatch" }, "/"],
  ["/foo/bar", "/foo/", { type: "ReplacePrefixMatch", replacePrefixMatch: "/xyz/" }, "/xyz/bar"],
  ["/a/b?c", "/", { type: "ReplacePrefixMatch", replacePrefixMatch: "/z" }, "/z/a/b?c"],
  ["/a/b?c", "", { type: "ReplaceFullPath", replaceFullPath: "/all" }, "/all?c"],
] as const)("%s matched by %s becomes by %j %s", (target, prefix, modifier, expected) =>
  expect(modifyPath(target, prefix, modifier)).toBe(expected),
);

test.each([
  [{ scheme: "https" } as const, "https://shop.test/a"],
  [{ hostname: "www.test", statusCode: 301 }, "http://www.test:8080/a"],
  [{ port: 443, scheme: "https" } as const, "https://shop.test/a"],
  [{ port: 81 }, "http://shop.test:81/a"],
  [{ path: { type: "ReplaceFullPath", replaceFullPath: "/b" } } as const, "http://shop.test:8080/b"],
])("a redirect by %j leads to %s", (filter, location) =>
  expect(redirection(filter, { target: "/a", prefix: "/", headers: ["Host", "shop.test:8080"] })).toEqual({
    code: "statusCode" in filter ? filter.statusCode : 302,
    location,
  }),
);

test("headers are set, added and removed without regard to case", () =>
  expect(
    modifyHeaders(["A", "1", "b", "2", "C", "3"], {
      set: [{ name: "a", value: "9" }],
      add: [
        { name: "B", value: "8" },
        { name: "D", value: "7" },
      ],
      remove: ["c"],
    }),
  ).toEqual(["b", "2,8", "a", "9", "D", "7"]));

test("what belongs to one connection stays there, and what Connection names", () =>
  expect(endToEnd(["Connection", "close, X-Mine", "X-Mine", "1", "Keep-Alive", "timeout=5", "X-Yours", "2"])).toEqual([
    "X-Yours",
    "2",
  ]));

test("Connection takes neither the host nor the length of a request away", () => {
  const lasting = ["Content-Length", "5", "Host", "a", "X-Forwarded-For", "b"];
  expect(endToEnd(["Connection", "content-length, host, x-forwarded-for", ...lasting])).toEqual(lasting);
});

const fromProxy = [
  ...["X-Forwarded-Host", "outer", "Host", "inner", "X-Forwarded-For", "10.0.0.1"],
  ...["X-Forwarded-Proto", "https", "X-Request-Id", "1"],
];

test.each([
  ["of this machine", "::ffff:127.0.0.1", "10.0.0.1, 127.0.0.1", "https", "outer"],
  ["of this machine by IPv6", "::1", "10.0.0.1, ::1", "https", "outer"],
  ["far away", "10.0.0.2", "10.0.0.1, 10.0.0.2", "http", "inner"],
])("what a proxy %s says of who asked", (_, client, by, proto, host) =>
  expect(forwarded(fromProxy, { client, id: () => "2" })).toEqual([
    ...["Host", "inner", "X-Forwarded-For", by, "X-Forwarded-Proto", proto, "X-Forwarded-Host", host],
    ...["X-Request-Id", "1"],
  ]),
);

const line = (local: string, state: string) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000`;

test.each([
  ["all addresses", line("00000000:1F40", "0A"), true],
  ["all of IPv6", line("00000000000000000000000000000000:1F40", "0A"), true],
  ["one address", line("0100007F:1F40", "0A"), false],
  ["another port", line("00000000:1F41", "0A"), false],
  ["a connection", line("00000000:1F40", "01"), false],
])("a listener on %s", (_, text, expected) => expect(listensEverywhere(text, 8000)).toBe(expected));
