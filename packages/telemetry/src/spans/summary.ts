/** What is told of a found trace, from all of its spans. */
import { carriers } from "../attributes.ts";
import type { TraceSummary } from "../telemetry.ts";
import { bits, isRoot, type SpanRows } from "./span-rows.ts";

interface Named {
  readonly start: number;
  readonly service: string;
  readonly operation: string;
}

/** Beyond this, spans that were sent twice are counted twice. */
const mostRemembered = 100_000;

export class TraceSum {
  #spans = 0;
  #errors = 0;
  #start = Number.POSITIVE_INFINITY;
  #end = Number.NEGATIVE_INFINITY;
  #root: Named | undefined;
  #first: Named | undefined;
  #entry: Named | undefined;
  #weight = 0;
  readonly #services = new Map<string, { spans: number; start: number }>();
  readonly #seen = new Set<string>();

  add(rows: SpanRows, row: number): void {
    const { ids, base } = rows;
    const start = rows.starts[row] as number;
    const duration = rows.durations[row] as number;
    const bit = rows.bits[row] as number;
    const service = rows.dictionary.resources[rows.resources[row] as number]?.service ?? "";
    const ms = Math.floor(start / 1e6);
    const key = `${ids.high[row]} ${ids.low[row]} ${base + ms} ${start - ms * 1e6} ${duration} ${bit} ${service}`;
    if (this.#seen.has(key)) return;
    if (this.#seen.size < mostRemembered) this.#seen.add(key);
    this.#spans++;
    if ((bit & bits.status) === bits.error) this.#errors++;
    this.#weight = Math.max(this.#weight, rows.weights?.[row] ?? 0);
    const begun = base + start / 1e6;
    const part = this.#services.get(service);
    this.#services.set(service, { spans: (part?.spans ?? 0) + 1, start: Math.min(part?.start ?? begun, begun) });
    this.#start = Math.min(this.#start, begun);
    this.#end = Math.max(this.#end, begun + Math.max(0, duration) / 1e6);
    if (isRoot(ids, row) && begun < (this.#root?.start ?? Number.POSITIVE_INFINITY))
      this.#root = named(rows, row, begun, service);
    if (begun < (this.#first?.start ?? Number.POSITIVE_INFINITY)) this.#first = named(rows, row, begun, service);
    if (begun < (this.#entry?.start ?? Number.POSITIVE_INFINITY) && !carriers.has(service))
      this.#entry = named(rows, row, begun, service);
  }

  /** Undefined: there are no spans. */
  of(id: Buffer): TraceSummary | undefined {
    const named = this.#root ?? this.#first;
    if (!named) return;
    const entry = carriers.has(named.service) ? this.#entry : undefined;
    const services = [...this.#services].sort(([, a], [, b]) => a.start - b.start);
    return {
      traceId: id.toString("hex"),
      service: named.service,
      operation: named.operation,
      ...(entry && { entry: { service: entry.service, operation: entry.operation } }),
      start: this.#start,
      duration: this.#end - this.#start,
      spans: this.#spans,
      errors: this.#errors,
      services: Object.fromEntries(services.map(([service, { spans }]) => [service, spans])),
      ...(this.#weight > 0 && { weight: 1 << this.#weight }),
    };
  }
}

const named = (rows: SpanRows, row: number, start: number, service: string): Named => ({
  start,
  service,
  operation: rows.dictionary.name(rows.names[row] as number).toString(),
});
