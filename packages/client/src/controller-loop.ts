/** One controller at work: from changes to keys, from a key to a look, from a look to writes. */
import type { Clock, Random } from "@flotilla/ambient";
import type { KubeObject } from "@flotilla/objects";
import { act, type Effects, isRace, type Outcome } from "./act.ts";
import type { Api } from "./api.ts";
import type { Controller, Decision, FailedEffect, Failure, Key, Source, Watch } from "./controller.ts";
import { ControllerCache, isNamed } from "./controller-cache.ts";
import type { EventRecorder } from "./event-recorder.ts";
import { caughtUp } from "./freshness.ts";
import type { Informer } from "./informer.ts";
import type { Informers } from "./informers.ts";
import { KeyQueue, type LookResult } from "./key-queue.ts";
import type { Log } from "./log.ts";
import type { Sources } from "./sources.ts";

/** A kind found by discovery that cannot be listed holds nobody up for longer. Milliseconds. */
const longestSync = 10_000;

export interface LoopOptions {
  readonly controller: Controller;
  readonly informers: Informers;
  readonly sources: Sources;
  readonly recorder: EventRecorder;
  /** Who reports Events; undefined: the controller. */
  readonly component: string | undefined;
  readonly api: Api;
  readonly clock: Clock;
  readonly random: Random;
  readonly effects: Effects;
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** What has failed at the last look at a key. */
interface Failed {
  readonly failures: readonly Failure[];
  readonly failedEffects: readonly FailedEffect[];
  readonly count: number;
}

const nothingFailed: Failed = { failures: [], failedEffects: [], count: 0 };

export class ControllerLoop {
  readonly #options: LoopOptions;
  readonly #cache: ControllerCache;
  readonly #queue: KeyQueue;
  readonly #failed = new Map<string, Failed>();
  /** Of the watches that name a resource. */
  readonly #informerOf: ReadonlyMap<Watch, Informer>;
  #started = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    const { clock, random, concurrency, controller, informers, sources } = options;
    this.#informerOf = new Map(controller.watches.filter(isNamed).map((each) => [each, informers.of(each)]));
    this.#cache = new ControllerCache(controller, informers, sources, clock);
    this.#queue = new KeyQueue({ clock, random, concurrency, look: (key) => this.#look(key) });
  }

  /** Waits until all watches have delivered what exists, then looks at all of it. */
  async start(): Promise<void> {
    const { controller, informers, signal } = this.#options;
    await Promise.all([...this.#informerOf.values()].map((each) => each.waitFor(() => each.synced)));
    if (controller.watches.some((watch) => !isNamed(watch))) {
      await informers.discovered;
      await Promise.all([...informers.all()].map((each) => each.waitFor(() => each.synced, longestSync)));
    }
    if (signal.aborted) return;
    this.#started = true;
    for (const informer of this.#cache.informers()) {
      for (const object of informer.store.list()) this.changed(informer, undefined, object);
    }
    for (const source of controller.sources ?? []) {
      for (const key of this.#options.sources.keysOf(source)) this.sourceChanged(source, key);
    }
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  changed(informer: Informer, before: KubeObject | undefined, after: KubeObject | undefined): void {
    if (!this.#started) return;
    for (const watch of this.#options.controller.watches) {
      if (!this.#concerns(watch, informer)) continue;
      try {
        for (const key of watch.keys(before, after, this.#cache, informer.resource)) this.#queue.add(key);
      } catch (error) {
        this.#log("cannot tell which keys a change concerns", undefined, error);
      }
    }
  }

  sourceChanged(source: Source, key: string): void {
    if (!this.#started || !this.#options.controller.sources?.includes(source)) return;
    try {
      for (const each of source.keys(key)) this.#queue.add(each);
    } catch (error) {
      this.#log(`cannot tell which keys ${key} of source ${source.name} concerns`, undefined, error);
    }
  }

  #concerns(watch: Watch, informer: Informer): boolean {
    const own = this.#informerOf.get(watch);
    return own ? own === informer : this.#options.informers.discoveredFor(informer.resource) === informer;
  }

  async #look(key: Key): Promise<LookResult> {
    const id = JSON.stringify([key.namespace, key.name]);
    const { failures, failedEffects, count } = this.#failed.get(id) ?? nothingFailed;
    let decision: Decision;
    try {
      const { controller, clock } = this.#options;
      const observed = controller.observe(key, this.#cache);
      if (observed === undefined) {
        this.#failed.delete(id);
        return { failed: false };
      }
      decision = controller.decide(observed, { now: new Date(clock.now()), failures, failedEffects });
    } catch (error) {
      this.#log("cannot decide; trying again", key, error);
      return { failed: true };
    }
    try {
      return await this.#carryOut(decision, key, id, count);
    } catch (error) {
      this.#log("cannot carry out a decision; trying again", key, error);
      return { failed: true };
    }
  }

  async #carryOut(decision: Decision, key: Key, id: string, looksFailed: number): Promise<LookResult> {
    const { api, clock, controller, effects, signal, recorder, component } = this.#options;
    const outcome = await act(decision, {
      api,
      cache: this.#cache,
      clock,
      effects,
      fieldManager: controller.name,
      signal,
    });
    const failed = outcome.failedWrites.length > 0 || outcome.failedEffects.length > 0;
    for (const note of decision.events ?? []) {
      if (note.type === "Warning" || !failed) recorder.record(component ?? controller.name, note);
    }
    this.#remember(id, key, outcome, looksFailed + 1);
    for (const done of outcome.done) await caughtUp(this.#cache.holding(done.write.resource), done);
    return { failed, lookAgainIn: decision.lookAgainIn };
  }

  #remember(id: string, key: Key, { failedWrites, failedEffects }: Outcome, count: number): void {
    if (failedWrites.length === 0 && failedEffects.length === 0) {
      this.#failed.delete(id);
      return;
    }
    const told = failedWrites.filter(({ error }) => !isRace(error));
    this.#failed.set(id, {
      count,
      failures: told.map((each) => ({ ...each, count })),
      failedEffects: failedEffects.map((each) => ({ ...each, count })),
    });
    for (const { write, error } of told) this.#log(`cannot ${write.verb} ${write.resource.plural}`, key, error);
    for (const { effect, error } of failedEffects) this.#log(`cannot perform an effect to ${effect.to}`, key, error);
  }

  #log(message: string, key: Key | undefined, error: unknown): void {
    this.#options.log({ level: "warn", controller: this.#options.controller.name, message, key, error });
  }
}
