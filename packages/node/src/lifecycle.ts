/** The hooks of a container: run once, after its start or before its end. Source: kubernetes pkg/kubelet/lifecycle/handlers.go. */
import { type Clock, sleep } from "@flotilla/ambient";
import type { LifecycleHandler } from "@flotilla/objects";
import type { Checks, CheckTarget } from "./checks.ts";
import type { ProbeOutcome } from "./probe-schedule.ts";

/** Kubernetes has no limit but the grace period. Milliseconds. */
const longest = 3_600_000;

export async function runHook(
  { exec, httpGet, sleep: pause }: LifecycleHandler,
  target: CheckTarget,
  checks: Checks,
  clock: Clock,
  withinMs = longest,
): Promise<ProbeOutcome> {
  if (pause) {
    await sleep(clock, Math.min(pause.seconds * 1000, withinMs));
    return { ok: true, message: "ok" };
  }
  return checks.check({ exec, httpGet }, target, withinMs);
}
