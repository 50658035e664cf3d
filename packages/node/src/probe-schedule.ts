/**
 * When a probe is tried and what its answers mean. Until the first success it is also tried in between, so that a
 * container is ready when it is ready; those tries never count as failures, which happen as often as in Kubernetes.
 *
 * Source of thresholds and defaults: kubernetes pkg/kubelet/prober/worker.go, pkg/apis/core/v1/defaults.go.
 */
import type { Cancel, Clock } from "@flotilla/ambient";
import type { Probe } from "@flotilla/objects";

export type ProbeKind = "startup" | "readiness" | "liveness";

export interface ProbeOutcome {
  readonly ok: boolean;
  readonly message: string;
}

export interface ProbeOptions {
  readonly probe: Probe;
  readonly kind: ProbeKind;
  readonly clock: Clock;
  /** Must answer within the probe's time-out by itself. */
  readonly check: () => Promise<ProbeOutcome>;
  /** Called when the verdict is reached or changes: enough successes, or enough failures. */
  readonly onVerdict: (ok: boolean, message: string) => void;
  /** Each failure that counts. */
  readonly onFailure: (message: string) => void;
}

/** Milliseconds between the tries before the first success: from the first, growing, to the last. */
const eager = { network: { first: 20, last: 100 }, exec: { first: 100, last: 1000 } };
/** Who has not succeeded by then is tried as often as the probe says. */
const eagerFor = 60_000;

export function startProbe({ probe, kind, clock, check, onVerdict, onFailure }: ProbeOptions): Cancel {
  const { failureThreshold = 3, successThreshold = 1 } = probe;
  const period = (probe.periodSeconds ?? 10) * 1000;
  const pace = probe.exec ? eager.exec : eager.network;
  const begun = clock.now() + (probe.initialDelaySeconds ?? 0) * 1000;
  let stopped = false;
  let cancel: Cancel = () => {};
  let verdict: boolean | undefined = kind === "liveness" ? true : undefined;
  let successes = 0;
  let failures = 0;
  let counted = begun;
  let gap = pace.first;

  const isEager = () =>
    kind !== "liveness" &&
    successes === 0 &&
    verdict !== true &&
    successThreshold === 1 &&
    clock.now() - begun < eagerFor;

  async function tryOnce() {
    const outcome = await check();
    if (stopped) return;
    // A clock that is put back must not keep probes from counting until it has caught up.
    counted = Math.min(counted, clock.now() + period);
    const counts = clock.now() >= counted;
    if (counts) counted = Math.max(counted + period, clock.now());
    if (outcome.ok) {
      failures = 0;
      if (verdict === true || ++successes >= successThreshold) decide(true, outcome.message);
    } else if (counts) {
      successes = 0;
      onFailure(outcome.message);
      if (++failures >= failureThreshold) decide(false, outcome.message);
    }
    if (stopped) return;
    const untilPeriod = Math.max(0, counted - clock.now());
    cancel = clock.after(isEager() ? Math.min(gap, untilPeriod || gap) : untilPeriod || period, run, {
      background: true,
    });
    gap = Math.min(gap * 1.3, pace.last);
  }

  function decide(ok: boolean, message: string) {
    if (verdict === ok && ok) return;
    const changed = verdict !== ok;
    verdict = ok;
    if (!ok) successes = 0;
    if (changed) onVerdict(ok, message);
  }

  const run = () => void tryOnce();
  cancel = clock.after(Math.max(0, begun - clock.now()), run, { background: true });
  return () => {
    stopped = true;
    cancel();
  };
}
