/**
 * Records Events: counts repeats, combines those that differ by message only, and limits how many one object gets.
 *
 * Source of the rules and figures: client-go tools/record/events_cache.go.
 */
import { type Clock, sleep } from "@flotilla/ambient";
import { type Event, Events, fnv1a, isAlreadyExists, isNotFound, StatusError, timeOf } from "@flotilla/objects";
import type { Api } from "./api.ts";
import type { EventNote } from "./controller.ts";
import { EventLimits } from "./event-limits.ts";
import type { Log } from "./log.ts";

/** Events that wait for the API; more are dropped. */
const longestQueue = 1000;
const attempts = 12;
const pause = 10_000;

export class EventRecorder {
  readonly #api: Pick<Api, "get" | "write">;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limits: EventLimits;
  readonly #stop = new AbortController();
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor({ api, clock, log }: { api: Pick<Api, "get" | "write">; clock: Clock; log: Log }) {
    this.#api = api;
    this.#clock = clock;
    this.#log = log;
    this.#limits = new EventLimits(clock);
  }

  /** Never fails; what cannot be written is dropped and logged. `component` is who reports. */
  record(component: string, note: EventNote): void {
    if (this.#stop.signal.aborted || this.#waiting >= longestQueue) return;
    const counted = this.#limits.take(component, note);
    if (!counted) return;
    const now = timeOf(new Date(this.#clock.now()));
    const wanted = eventOf(component, { ...note, ...counted }, now);
    this.#waiting++;
    this.#last = this.#last.then(async () => {
      await this.#write(wanted);
      this.#waiting--;
    });
  }

  /** Resolves when the write under way has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#last;
  }

  async #write(event: Event): Promise<void> {
    const { signal } = this.#stop;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        return await this.#writeOnce(event);
      } catch (error) {
        // Refused for good, as in a namespace that is being deleted; or given up.
        if ((error instanceof StatusError && error.code < 500) || attempt === attempts) {
          const message = `cannot record event ${event.reason} about ${event.involvedObject.kind} ${event.involvedObject.name}`;
          return this.#log({ level: "info", message, error });
        }
        await sleep(this.#clock, pause, signal).catch(() => undefined);
      }
    }
  }

  async #writeOnce(event: Event): Promise<void> {
    const { namespace, name } = event.metadata;
    const { count = 1, lastTimestamp, message } = event;
    const repeat = (times: number) =>
      this.#api.write({
        resource: Events,
        verb: "patch",
        type: "merge",
        namespace,
        name,
        patch: { count: times, lastTimestamp, message },
      });
    try {
      if (count > 1) return void (await repeat(count));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    try {
      await this.#api.write({ resource: Events, verb: "create", object: event });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      // Recorded before this process began.
      const existing = await this.#api.get(Events, { namespace, name });
      await repeat((existing.count ?? 1) + count);
    }
  }
}

type Counted = EventNote & { readonly identity: string; readonly count: number };

function eventOf(
  component: string,
  { about, type, reason, message, fieldPath, identity, count }: Counted,
  now: string,
): Event {
  const { name, namespace, uid, resourceVersion } = about.metadata;
  // Two halves, since one alone could meet another event's.
  const hash = [identity, `\u0000${identity}`].map((text) => fnv1a(text).toString(16).padStart(8, "0")).join("");
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${name.slice(0, 253 - hash.length - 1)}.${hash}`, namespace: namespace ?? "default" },
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      namespace,
      name,
      uid,
      resourceVersion,
      ...(fieldPath === undefined ? {} : { fieldPath }),
    },
    type,
    reason,
    message,
    source: { component },
    reportingComponent: component,
    reportingInstance: "",
    firstTimestamp: now,
    lastTimestamp: now,
    count,
  };
}
