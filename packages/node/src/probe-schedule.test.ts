import { simulation } from "@flotilla/ambient";
import type { Probe } from "@flotilla/objects";
import { expect, test } from "vitest";
import { type ProbeKind, startProbe } from "./probe-schedule.ts";

/** What a probe told within `seconds`: when (seconds), and what. */
async function run(kind: ProbeKind, probe: Probe, ok: (second: number) => boolean, seconds: number) {
  const { clock, advance } = simulation(1);
  const begun = clock.now();
  const age = () => (clock.now() - begun) / 1000;
  const told: string[] = [];
  let tries = 0;
  let failures = 0;
  const cancel = startProbe({
    probe,
    kind,
    clock,
    check: async () => {
      tries++;
      return { ok: ok(age()), message: "m" };
    },
    onVerdict: (verdict) => told.push(`${verdict ? "yes" : "no"} at ${age().toFixed(1)}`),
    onFailure: () => failures++,
  });
  await advance(seconds * 1000);
  cancel();
  return { told, tries, failures };
}
const always = () => true;
const never = () => false;

test("a success is seen at once", async () =>
  expect((await run("readiness", { periodSeconds: 10 }, (second) => second >= 1.5, 3)).told).toEqual(["yes at 1.6"]));
test("the first failure does not wait for a period, the verdict for three", async () =>
  expect(await run("readiness", { periodSeconds: 10 }, never, 25)).toMatchObject({
    told: ["no at 20.0"],
    failures: 3,
  }));
test("tries in between do not count as failures", async () =>
  expect((await run("startup", { periodSeconds: 1, failureThreshold: 5 }, never, 3.5)).failures).toBe(4));
test("after its success a probe is tried as often as it says", async () =>
  expect((await run("readiness", { periodSeconds: 2 }, always, 10)).tries).toBe(6));
test("waits before its first try", async () =>
  expect((await run("readiness", { initialDelaySeconds: 5 }, always, 6)).told).toEqual(["yes at 5.0"]));
test("several successes are counted by period", async () =>
  expect((await run("readiness", { periodSeconds: 2, successThreshold: 3 }, always, 6)).told).toEqual(["yes at 4.0"]));
test("unready after three failures in a row, ready after one success", async () =>
  expect((await run("readiness", { periodSeconds: 1 }, (second) => second < 5 || second >= 12, 15)).told).toEqual([
    "yes at 0.0",
    "no at 7.0",
    "yes at 12.0",
  ]));
test("liveness is taken for granted", async () =>
  expect((await run("liveness", { periodSeconds: 1, failureThreshold: 2 }, (second) => second < 3, 6)).told).toEqual([
    "no at 4.0",
  ]));
test("liveness is not tried eagerly", async () =>
  expect((await run("liveness", { periodSeconds: 5 }, never, 4)).tries).toBe(1));

test("a clock that is put back does not keep failures from counting", async () => {
  const { clock, advance } = simulation(1);
  let back = 0;
  const told: boolean[] = [];
  const cancel = startProbe({
    probe: { periodSeconds: 10 },
    kind: "liveness",
    clock: { ...clock, now: () => clock.now() - back },
    check: async () => ({ ok: back === 0, message: "m" }),
    onVerdict: (ok) => told.push(ok),
    onFailure: () => {},
  });
  await advance(15_000);
  back = 3_600_000;
  await advance(60_000);
  cancel();
  expect(told).toEqual([false]);
});
