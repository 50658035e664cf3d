/** Which trace a request belongs to, whether it makes a span, and what is passed on. */
import type { IncomingMessage } from "node:http";
import type { Clock, Random } from "@flotilla/ambient";
import type { SpanBudget } from "./span-budget.ts";
import { hasMember, isSampled, parentOf, TraceIds, traceparentOf, withMember } from "./trace-context.ts";

export interface Trace {
  /** "" when there is none to be made. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly tracestate: string;
  /** "remarkable": if it failed or was slow. */
  readonly records: "always" | "remarkable" | "never";
  /** Names and values of the headers that go on. */
  readonly headers: readonly string[];
}

/**
 * Tells the hops after us that a trace is left out because there were too many, not because its maker wanted that: they still
 * keep what is remarkable.
 */
export const overBudget = "flotilla=o";

export class Tracing {
  readonly #clock: Clock;
  readonly #ids: TraceIds;
  readonly #budget: SpanBudget;

  constructor(clock: Clock, random: Random, budget: SpanBudget) {
    this.#clock = clock;
    this.#ids = new TraceIds(random);
    this.#budget = budget;
  }

  of(headers: IncomingMessage["headers"]): Trace {
    const parent = parentOf(headers.traceparent as string | undefined);
    if (!parent) return this.#begin();
    const tracestate = (headers.tracestate as string | undefined) ?? "";
    const sampled = isSampled(parent);
    if (!sampled && !hasMember(tracestate, overBudget)) return untraced(headers);
    this.#budget.note(this.#clock.now());
    const records = sampled && this.#budget.keeps(parent.traceId) ? "always" : "remarkable";
    return this.#trace(parent.traceId, parent.spanId, tracestate, records, sampled);
  }

  #begin(): Trace {
    this.#budget.note(this.#clock.now());
    const traceId = this.#ids.trace();
    const keeps = this.#budget.keeps(traceId);
    const { member } = this.#budget;
    const tracestate = keeps ? (member ?? "") : withMember("", overBudget);
    const records = keeps ? "always" : "remarkable";
    return this.#trace(traceId, undefined, tracestate, records, keeps);
  }

  #trace(
    traceId: string,
    parentSpanId: string | undefined,
    tracestate: string,
    records: Trace["records"],
    sampled: boolean,
  ): Trace {
    const spanId = this.#ids.span();
    const headers = ["traceparent", traceparentOf(traceId, spanId, sampled)];
    if (tracestate !== "") headers.push("tracestate", tracestate);
    return { traceId, spanId, parentSpanId, tracestate, records, headers };
  }
}

/** What came goes on as it is. */
export function untraced(headers: IncomingMessage["headers"]): Trace {
  const { traceparent, tracestate } = headers as Record<string, string | undefined>;
  const passed: string[] = [];
  if (traceparent !== undefined) passed.push("traceparent", traceparent);
  if (tracestate !== undefined) passed.push("tracestate", tracestate);
  return { traceId: "", spanId: "", parentSpanId: undefined, tracestate: "", records: "never", headers: passed };
}
