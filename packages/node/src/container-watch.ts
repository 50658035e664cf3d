/** A container from its start to its end: postStart hook, startup probe, then liveness and readiness, and where it listens. */
import type { Cancel, Clock } from "@flotilla/ambient";
import type { Container, Pod, Probe } from "@flotilla/objects";
import type { Checks, CheckTarget } from "./checks.ts";
import { runHook } from "./lifecycle.ts";
import type { PodStore } from "./pod-store.ts";
import { type ProbeKind, type ProbeOutcome, startProbe } from "./probe-schedule.ts";

export interface WatchedContainer {
  readonly uid: string;
  readonly name: string;
  readonly pod: Pod;
  readonly container: Container;
  readonly target: CheckTarget;
}

/** A container that is not ready by then is looked at for where it listens, and again as often. Milliseconds. */
const faultLookEvery = 1500;

const words: Readonly<Record<ProbeKind, string>> = {
  startup: "Startup",
  readiness: "Readiness",
  liveness: "Liveness",
};

export function watchContainer(watched: WatchedContainer, store: PodStore, checks: Checks, clock: Clock): Cancel {
  const { uid, name, pod, container, target } = watched;
  const cancels = new Set<Cancel>();
  let stopped = false;
  const isReady = () => store.get(uid)?.containers[name]?.ready === true;

  function probe(kind: ProbeKind, spec: Probe, onVerdict: (ok: boolean, message: string) => void): Cancel {
    const timeoutMs = (spec.timeoutSeconds ?? 1) * 1000;
    const check = () => checks.check(spec, target, timeoutMs);
    const onFailure = (message: string) =>
      store.note(uid, "Warning", "Unhealthy", `${words[kind]} probe failed: ${message}`, name);
    const cancel = startProbe({ probe: spec, kind, clock, check, onVerdict, onFailure });
    cancels.add(cancel);
    return cancel;
  }

  async function lookForFault(): Promise<boolean> {
    if (pod.spec.hostNetwork) return false;
    const fault = await checks.fault(target);
    if (stopped) return false;
    const before = store.get(uid)?.containers[name]?.fault;
    if (fault?.message === before?.message) return fault !== undefined;
    store.updateContainer(uid, name, () => ({ fault }));
    if (fault) store.note(uid, "Warning", fault.reason, `container ${name} ${fault.message}`, name);
    return fault !== undefined;
  }

  function lookAgain(cancelled: { by: Cancel }) {
    cancelled.by = clock.after(
      faultLookEvery,
      () =>
        void lookForFault().then((faulty) => {
          if (!stopped && (faulty || !isReady())) lookAgain(cancelled);
        }),
      { background: true },
    );
  }

  function begin() {
    store.updateContainer(uid, name, () => ({ started: true }));
    const { livenessProbe, readinessProbe } = container;
    if (livenessProbe)
      probe("liveness", livenessProbe, (ok) => {
        if (!ok) store.updateContainer(uid, name, () => ({ unhealthy: "failed liveness probe" }));
      });
    const looking = { by: () => {} };
    cancels.add(() => looking.by());
    if (readinessProbe) {
      probe("readiness", readinessProbe, (ok) => {
        if (!ok) return store.updateContainer(uid, name, () => ({ ready: false }));
        // Somebody else's listener may have answered.
        void lookForFault().then(() => {
          if (!stopped) store.updateContainer(uid, name, () => ({ ready: true }));
        });
      });
    } else {
      store.updateContainer(uid, name, () => ({ ready: true }));
    }
    lookAgain(looking);
  }

  async function start() {
    // One that may not have its port is often gone before it is looked at.
    if (container.ports?.some(({ containerPort }) => containerPort < (target.lowestPort ?? 0))) void lookForFault();
    const hook = container.lifecycle?.postStart;
    if (hook) {
      const outcome: ProbeOutcome = await runHook(hook, target, checks, clock);
      if (stopped) return;
      if (!outcome.ok) {
        store.note(uid, "Warning", "FailedPostStartHook", `PostStartHook failed: ${outcome.message}`, name);
        return store.updateContainer(uid, name, () => ({ unhealthy: "failed postStart hook" }));
      }
    }
    const { startupProbe } = container;
    if (!startupProbe) return begin();
    const cancel = probe("startup", startupProbe, (ok) => {
      cancel();
      if (ok) begin();
      else store.updateContainer(uid, name, () => ({ unhealthy: "failed startup probe" }));
    });
  }

  void start();
  return () => {
    stopped = true;
    for (const cancel of cancels) cancel();
  };
}
