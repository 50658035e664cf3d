/**
 * Spans of our own instrumentations. They say what the SDK's spans say, limits and all, and cost less: the SDK counts, copies and
 * checks for cases that do not come up here. The program's own spans, and all spans where a sampler or limits are set, are the SDK's.
 */
import { systemClock, systemStopwatch } from "@flotilla/ambient";
import {
  type Attributes,
  type AttributeValue,
  type Context,
  type Exception,
  type HrTime,
  isSpanContextValid,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import {
  addHrTimes,
  type InstrumentationScope,
  isAttributeValue,
  isTimeInput,
  isTracingSuppressed,
  millisToHrTime,
  sanitizeAttributes,
  timeInputToHrTime,
} from "@opentelemetry/core";
import type { Resource } from "@opentelemetry/resources";
import type { IdGenerator, ReadableSpan, TimedEvent } from "@opentelemetry/sdk-trace-base";
import type { Environment } from "./settings.ts";

/** Attributes, events, links of one span. Source: opentelemetry.io/docs/specs/otel/trace/sdk, "Span Limits". */
const most = 128;

/** What asks for the SDK's spans. */
const settable = /^OTEL_(TRACES_SAMPLER|(SPAN|EVENT|LINK|ATTRIBUTE)_.*LIMIT)$/;

/** Nobody has set what lean spans know nothing of. */
export const leanSpansDo = (env: Environment): boolean =>
  !Object.entries(env).some(([name, value]) => value && settable.test(name));

export interface LeanTracerOptions {
  readonly resource: Resource;
  readonly scope: InstrumentationScope;
  readonly ids: IdGenerator;
  readonly ended: (span: ReadableSpan) => void;
}

/** Samples as the SDK does when nothing is set: what the parent says, and all that has none. */
export class LeanTracer {
  readonly #options: LeanTracerOptions;

  constructor(options: LeanTracerOptions) {
    this.#options = options;
  }

  startSpan(name: string, { kind = SpanKind.INTERNAL, attributes, startTime }: SpanOptions, context: Context): Span {
    const { ids } = this.#options;
    const given = trace.getSpanContext(context);
    if (isTracingSuppressed(context)) return trace.wrapSpanContext({ traceId: "", spanId: "", traceFlags: 0 });
    const parent = given && isSpanContextValid(given) ? given : undefined;
    const spanContext: SpanContext = {
      traceId: parent ? parent.traceId : ids.generateTraceId(),
      spanId: ids.generateSpanId(),
      traceFlags: parent ? parent.traceFlags & TraceFlags.SAMPLED : TraceFlags.SAMPLED,
      ...(parent?.traceState && { traceState: parent.traceState }),
    };
    if (spanContext.traceFlags === TraceFlags.NONE) return trace.wrapSpanContext(spanContext);
    const span = new LeanSpan(this.#options, name, kind, spanContext, parent, startTime);
    return attributes ? span.setAttributes(attributes) : span;
  }
}

class LeanSpan implements Span, ReadableSpan {
  name: string;
  readonly kind: SpanKind;
  readonly parentSpanContext?: SpanContext;
  readonly startTime: HrTime;
  endTime: HrTime = [0, 0];
  status: SpanStatus = { code: SpanStatusCode.UNSET };
  readonly attributes: Attributes = {};
  readonly links: Link[] = [];
  readonly events: TimedEvent[] = [];
  ended = false;
  droppedAttributesCount = 0;
  droppedEventsCount = 0;
  droppedLinksCount = 0;
  readonly #options: LeanTracerOptions;
  readonly #context: SpanContext;
  readonly #began: number;
  #attributes = 0;

  constructor(
    options: LeanTracerOptions,
    name: string,
    kind: SpanKind,
    context: SpanContext,
    parent: SpanContext | undefined,
    startTime: TimeInput | undefined,
  ) {
    this.#options = options;
    this.#context = context;
    this.#began = systemStopwatch();
    this.name = name;
    this.kind = kind;
    if (parent) this.parentSpanContext = parent;
    this.startTime = startTime === undefined ? millisToHrTime(systemClock.now()) : timeInputToHrTime(startTime);
    // What began before is as much longer.
    if (typeof startTime === "number" && startTime <= this.#began) this.#began = startTime;
  }

  get resource(): Resource {
    return this.#options.resource;
  }

  get instrumentationScope(): InstrumentationScope {
    return this.#options.scope;
  }

  get duration(): HrTime {
    const [seconds, nanoseconds] = [this.endTime[0] - this.startTime[0], this.endTime[1] - this.startTime[1]];
    return nanoseconds < 0 ? [seconds - 1, nanoseconds + 1e9] : [seconds, nanoseconds];
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  isRecording(): boolean {
    return !this.ended;
  }

  setAttribute(key: string, value: AttributeValue | undefined): this {
    if (value === undefined || value === null || this.ended || key === "") return this;
    if (typeof value === "object" && !isAttributeValue(value)) return this;
    if (!(key in this.attributes)) {
      if (this.#attributes >= most) {
        this.droppedAttributesCount += 1;
        return this;
      }
      this.#attributes += 1;
    }
    this.attributes[key] = value;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const key in attributes) this.setAttribute(key, attributes[key]);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.ended) return this;
    const isTime = isTimeInput(attributesOrTime);
    const attributes = sanitizeAttributes(isTime ? undefined : attributesOrTime);
    const at = isTimeInput(time) ? time : isTime ? attributesOrTime : undefined;
    if (this.events.length >= most) {
      this.events.shift();
      this.droppedEventsCount += 1;
    }
    this.events.push({ name, attributes, time: this.#time(at), droppedAttributesCount: 0 });
    return this;
  }

  addLink({ context, attributes }: Link): this {
    if (this.ended) return this;
    if (this.links.length >= most) {
      this.links.shift();
      this.droppedLinksCount += 1;
    }
    this.links.push({ context, ...(attributes && { attributes: sanitizeAttributes(attributes) }) });
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  /** OK is the last word, and only an error has a message. */
  setStatus({ code, message }: SpanStatus): this {
    if (this.ended || code === SpanStatusCode.UNSET || this.status.code === SpanStatusCode.OK) return this;
    const isTold = code === SpanStatusCode.ERROR && typeof message === "string";
    this.status = isTold ? { code, message } : { code };
    return this;
  }

  updateName(name: string): this {
    if (!this.ended) this.name = name;
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const { code, name, message, stack } = typeof exception === "string" ? { message: exception } : exception;
    this.addEvent(
      "exception",
      {
        "exception.type": code ? String(code) : name,
        "exception.message": message || undefined,
        "exception.stacktrace": stack || undefined,
      },
      time,
    );
  }

  end(time?: TimeInput): void {
    if (this.ended) return;
    const ended = this.#time(time);
    this.endTime = ended;
    // Clocks that were put back.
    if (this.duration[0] < 0) this.endTime = this.startTime;
    this.ended = true;
    this.#options.ended(this);
  }

  #time(given: TimeInput | undefined): HrTime {
    if (given !== undefined) return timeInputToHrTime(given);
    return addHrTimes(this.startTime, millisToHrTime(systemStopwatch() - this.#began));
  }
}
