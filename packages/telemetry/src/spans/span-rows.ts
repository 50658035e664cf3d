/**
 * Spans as columns, in the one form in which a search reads them, be they in the head or in a block.
 *
 * Times are nanoseconds after `base`: exact, since they are less than 2^53 (104 days) away from it. What a span has beside its
 * columns is its rest: the remaining fields of its message, as they came.
 */
export interface SpanRows {
  readonly count: number;
  /** Milliseconds since the epoch, whole. */
  readonly base: number;
  /** 16 bytes for each trace. */
  readonly traceIds: Buffer;
  /** By row: the trace's number. */
  readonly traces: Uint32Array;
  readonly starts: Float64Array;
  readonly durations: Float64Array;
  readonly ids: SpanIds;
  /** By row: the numbers of its name, resource and scope. */
  readonly names: Uint32Array;
  readonly resources: Uint32Array;
  readonly scopes: Uint32Array;
  /** By row, see `bits`. */
  readonly bits: Uint8Array;
  /** By row: how many spans it stands for, as a power of two: 1 << weight. Absent: itself. */
  readonly weights?: Uint8Array;
  readonly dictionary: Dictionary;
  readonly rest: SpanRest;
  /** Whether a span may have an attribute of this hash (`attributeHash`); absent: that is not known. */
  mayHaveAttribute?(hash: number): boolean;
}

/** Span ids and parents as two words each, as they are in memory; a parent of 0, 0 is none. */
export interface SpanIds {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  readonly parentLow: Uint32Array;
  readonly parentHigh: Uint32Array;
}

/** Everything that is the same for many spans, by number. */
export interface Dictionary {
  name(number: number): Buffer;
  readonly names: number;
  /** A ResourceSpans without its spans, and `service.name` of its resource. */
  readonly resources: readonly Envelope[];
  /** A ScopeSpans without its spans. */
  readonly scopes: readonly Envelope[];
}

export interface Envelope {
  readonly bytes: Buffer;
  /** Of a resource; "" of a scope. */
  readonly service: string;
}

/** Rests lie one after the other, in chunks of many rows. */
export interface SpanRest {
  /** The chunk's rows are from `first(chunk)` to before `first(chunk + 1)`. */
  readonly chunks: number;
  first(chunk: number): number;
  bytes(chunk: number): Buffer;
  /** Where in its chunk's bytes a row's rest begins. */
  start(row: number): number;
  end(row: number): number;
}

/** Of the column `bits`. */
export const bits = {
  kind: 0b0000_0111,
  /** 0 unset, 1 ok, 2 error; shifted by 3. */
  status: 0b0001_1000,
  statusShift: 3,
  error: 2 << 3,
  /** The end is in the rest: it is absent or far away. */
  endInRest: 0b0010_0000,
  /** The status is in the rest: it has more than a code. */
  statusInRest: 0b0100_0000,
} as const;

export const isRoot = ({ parentLow, parentHigh }: SpanIds, row: number): boolean =>
  parentLow[row] === 0 && parentHigh[row] === 0;
