/**
 * One of several copies leads, by a Lease. Clocks are not compared: a lease has run out when its record has not changed
 * for its duration as measured here.
 *
 * Source of algorithm and figures: client-go tools/leaderelection.
 */
import { type Clock, type Random, sleep } from "@flotilla/ambient";
import { isNotFound, type Lease, type LeaseSpec, Leases, microTimeOf, newObject } from "@flotilla/objects";
import type { Api } from "./api.ts";
import type { Log } from "./log.ts";

const leaseDuration = 15_000;
/** A leader that could not renew for so long steps down, before others may take over. */
const renewDeadline = 10_000;
const retryPeriod = 2000;
const acquireJitter = 1.2;

export interface LeaderElection {
  readonly api: Pick<Api, "get" | "write">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly namespace: string;
  readonly name: string;
  /** Unique among the copies. */
  readonly identity: string;
}

interface Terms {
  /** Called when this copy has become the leader. */
  lead(): Promise<void>;
  /** Called when it no longer is; the lease is given up, on `stop`, after this has resolved. */
  follow(): Promise<void>;
}

interface Observed {
  readonly lease: Lease;
  readonly at: number;
}

/** Takes part until stopped. */
export function leaderElect(options: LeaderElection & Terms): { stop(): Promise<void> } {
  const { api, clock, random, log, namespace, name, identity } = options;
  const stopping = new AbortController();
  let observed: Observed | undefined;

  const observe = (lease: Lease) => {
    if (lease.metadata.resourceVersion === observed?.lease.metadata.resourceVersion) return;
    observed = { lease, at: clock.now() };
  };

  const isHeldByOther = ({ lease: { spec }, at }: Observed): boolean =>
    Boolean(spec.holderIdentity) &&
    spec.holderIdentity !== identity &&
    clock.now() < at + (spec.leaseDurationSeconds ?? 0) * 1000;

  const read = async (): Promise<Lease | undefined> => {
    try {
      return await api.get(Leases, { namespace, name });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  /** True when the lease is ours for another term. */
  const acquireOrRenew = async (): Promise<boolean> => {
    const now = microTimeOf(new Date(clock.now()));
    const term: LeaseSpec = { holderIdentity: identity, leaseDurationSeconds: leaseDuration / 1000, renewTime: now };
    const current = await read();
    if (!current) {
      const object = newObject(Leases, {
        metadata: { name, namespace },
        spec: { ...term, acquireTime: now, leaseTransitions: 0 },
      });
      observe(await api.write({ resource: Leases, verb: "create", object }));
      return true;
    }
    observe(current);
    if (observed && isHeldByOther(observed)) return false;
    const { spec } = current;
    const kept =
      spec.holderIdentity === identity
        ? { acquireTime: spec.acquireTime, leaseTransitions: spec.leaseTransitions }
        : { acquireTime: now, leaseTransitions: (spec.leaseTransitions ?? 0) + 1 };
    observe(await api.write({ resource: Leases, verb: "update", object: { ...current, spec: { ...term, ...kept } } }));
    return true;
  };

  const attempt = async (): Promise<boolean> => {
    try {
      return await acquireOrRenew();
    } catch (error) {
      log({ level: "info", message: `cannot acquire or renew lease ${namespace}/${name}`, error });
      return false;
    }
  };

  const pause = (ms: number) => sleep(clock, ms, stopping.signal).catch(() => undefined);

  /** Ends when the lease is lost or this copy stops. */
  const keep = async () => {
    let deadline = clock.now() + renewDeadline;
    while (!stopping.signal.aborted && clock.now() < deadline) {
      await pause(Math.min(retryPeriod, deadline - clock.now()));
      if (stopping.signal.aborted) return;
      const begun = clock.now();
      const renewed = await Promise.race([attempt(), pause(deadline - begun).then(() => false)]);
      if (renewed) deadline = begun + renewDeadline;
      else if (observed && isHeldByOther(observed)) return;
    }
  };

  const release = async () => {
    const current = await read();
    if (current?.spec.holderIdentity !== identity) return;
    const now = microTimeOf(new Date(clock.now()));
    const spec = { ...current.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    await api.write({ resource: Leases, verb: "update", object: { ...current, spec } });
  };

  const takePart = async () => {
    while (!stopping.signal.aborted) {
      if (!(await attempt())) {
        await pause(retryPeriod * (1 + acquireJitter * random.next()));
        continue;
      }
      log({ level: "info", message: `leads by lease ${namespace}/${name}` });
      await options.lead();
      await keep();
      log({ level: "info", message: `no longer leads by lease ${namespace}/${name}` });
      await options.follow();
      if (stopping.signal.aborted) {
        await release().catch((error: unknown) =>
          log({ level: "info", message: `cannot give up lease ${namespace}/${name}; it runs out by itself`, error }),
        );
      }
    }
  };

  const done = takePart();
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}
