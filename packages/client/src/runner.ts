/**
 * Runs controllers: wakes them when something changes, hands them what they observe, and carries out what they decide.
 * What it promises stands in the design (one key at a time, writes in order, never a cache older than an own write, ...);
 * each promise has its test.
 */
import type { Clock, Random } from "@flotilla/ambient";
import type { Resource } from "@flotilla/objects";
import type { Effects } from "./act.ts";
import type { Api } from "./api.ts";
import type { Controller } from "./controller.ts";
import { type LeaderElection, leaderElect } from "./leader-election.ts";
import type { Log } from "./log.ts";
import { Session } from "./session.ts";

export interface RunnerOptions {
  readonly api: Api;
  readonly controllers: readonly Controller[];
  readonly clock: Clock;
  readonly random: Random;
  /** By the name in `Effect.to`. */
  readonly effects?: Effects;
  /** What the API serves; asked at the start and again when it may have changed. Needed by `watchAll`. */
  readonly resources?: () => Promise<readonly Resource[]>;
  /** Left out: there is no other copy. */
  readonly leaderElection?: Omit<LeaderElection, "api" | "clock" | "random" | "log">;
  /** Who reports Events; default: each controller by its own name. */
  readonly recorder?: string;
  readonly log?: Log;
  /** Keys that one controller looks at at once. */
  readonly concurrency?: number;
}

export interface Running {
  /** Resolves when every controller has seen all objects of its watches once. With leader election: as the leader. */
  readonly started: Promise<void>;
  /** Ends all watches, begins no further write, and resolves when the writes under way have ended. */
  stop(): Promise<void>;
}

/** Starts at once. */
export function runControllers(options: RunnerOptions): Running {
  const complete = { effects: {}, concurrency: 16, log: () => undefined, ...options };
  const { api, clock, random, log, leaderElection } = complete;
  const names = options.controllers.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two controllers are named ${twice}`);

  if (!leaderElection) {
    const session = new Session(complete);
    return { started: session.started, stop: () => session.stop() };
  }

  const { promise: started, resolve } = Promise.withResolvers<void>();
  let session: Session | undefined;
  const election = leaderElect({
    ...leaderElection,
    api,
    clock,
    random,
    log,
    async lead() {
      session = new Session(complete);
      void session.started.then(resolve);
    },
    async follow() {
      await session?.stop();
      session = undefined;
    },
  });
  return { started, stop: () => election.stop() };
}
