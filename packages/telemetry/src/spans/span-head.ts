/** The spans that are in no block yet: columns that grow. What a request adds can be taken back as long as it is not committed. */

import { serviceOf } from "../attributes.ts";
import { decode } from "../otlp/codec.ts";
import { messageNamed } from "../otlp/schema.ts";
import type { ResourceSpans, ScopeSpans } from "../otlp/types.ts";
import { ByteTable, grown } from "../store/byte-table.ts";
import { Envelopes } from "./envelopes.ts";
import type { Dictionary, SpanIds, SpanRest, SpanRows } from "./span-rows.ts";
import { TraceTable } from "./trace-table.ts";

const resourceSpans = messageNamed("ResourceSpans");
const scopeSpans = messageNamed("ScopeSpans");

export const decodeResourceSpans = (bytes: Uint8Array): ResourceSpans => decode(resourceSpans, bytes);
export const decodeScopeSpans = (bytes: Uint8Array): ScopeSpans => decode(scopeSpans, bytes);

const rowsAtFirst = 4096;
/** A request may bring ten times as many. */
const mostRowsKept = 1 << 17;
const restAtFirst = 1 << 20;

export class SpanHead implements SpanRows {
  count = 0;
  base: number;
  traces = new Uint32Array(rowsAtFirst);
  starts = new Float64Array(rowsAtFirst);
  durations = new Float64Array(rowsAtFirst);
  names = new Uint32Array(rowsAtFirst);
  resources = new Uint32Array(rowsAtFirst);
  scopes = new Uint32Array(rowsAtFirst);
  bits = new Uint8Array(rowsAtFirst);
  /** Only of a head into which blocks are thinned out. */
  weights: Uint8Array<ArrayBuffer> | undefined;
  ids = newIds(rowsAtFirst);
  /** Rows with those that are not committed. */
  written = 0;
  readonly traceTable = new TraceTable();
  readonly nameTable = new ByteTable();
  readonly resourceTable = new Envelopes((bytes) => serviceOf(decodeResourceSpans(bytes).resource));
  readonly scopeTable = new Envelopes((bytes) => {
    decodeScopeSpans(bytes);
    return "";
  });
  #restEnds = new Uint32Array(rowsAtFirst);
  #restBytes = Buffer.allocUnsafeSlow(restAtFirst);
  #restLength = 0;
  /** How much of each table is committed. */
  #committed = { traces: 0, names: 0, resources: 0, scopes: 0 };

  /** `base`: whole milliseconds; times are kept relative to it. */
  constructor(base: number, weighted = false) {
    this.base = base;
    if (weighted) this.weights = new Uint8Array(rowsAtFirst);
  }

  /** Bytes of everything of variable length. */
  get size(): number {
    return this.#restLength + this.nameTable.size + this.resourceTable.size + this.scopeTable.size;
  }

  get traceIds(): Buffer {
    return this.traceTable.ids;
  }

  get dictionary(): Dictionary {
    const { nameTable, resourceTable, scopeTable } = this;
    return {
      name: (number) => nameTable.bytes(number),
      names: nameTable.count,
      resources: resourceTable.list,
      scopes: scopeTable.list,
    };
  }

  get rest(): SpanRest {
    const ends = this.#restEnds;
    return {
      chunks: 1,
      first: (chunk) => (chunk === 0 ? 0 : this.count),
      bytes: () => this.#restBytes.subarray(0, this.#restLength),
      start: (row) => (row === 0 ? 0 : (ends[row - 1] as number)),
      end: (row) => ends[row] as number,
    };
  }

  /** Adds bytes to the rest of the row that is being written. */
  keep(bytes: Buffer, start: number, end: number): void {
    const length = this.#restLength + end - start;
    if (length > this.#restBytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.#restBytes.length * 2));
      this.#restBytes.copy(larger, 0, 0, this.#restLength);
      this.#restBytes = larger;
    }
    bytes.copy(this.#restBytes, this.#restLength, start, end);
    this.#restLength = length;
  }

  /** Gives up the rest of the row that is being written. */
  dropRest(): void {
    this.#restLength = this.written === 0 ? 0 : (this.#restEnds[this.written - 1] as number);
  }

  /** Room for another row; the columns may be others afterwards. */
  reserve(): void {
    if (this.written < this.traces.length) return;
    this.traces = grown(this.traces);
    this.starts = grown(this.starts);
    this.durations = grown(this.durations);
    this.names = grown(this.names);
    this.resources = grown(this.resources);
    this.scopes = grown(this.scopes);
    this.bits = grown(this.bits);
    if (this.weights) this.weights = grown(this.weights);
    this.#restEnds = grown(this.#restEnds);
    const { low, high, parentLow, parentHigh } = this.ids;
    this.ids = { low: grown(low), high: grown(high), parentLow: grown(parentLow), parentHigh: grown(parentHigh) };
  }

  /** The row's columns and rest are complete. */
  endRow(): void {
    this.#restEnds[this.written++] = this.#restLength;
  }

  commit(): void {
    this.count = this.written;
    this.#committed = {
      traces: this.traceTable.count,
      names: this.nameTable.count,
      resources: this.resourceTable.list.length,
      scopes: this.scopeTable.list.length,
    };
  }

  rollback(): void {
    this.written = this.count;
    this.dropRest();
    this.traceTable.cut(this.#committed.traces);
    this.nameTable.cut(this.#committed.names);
    this.resourceTable.cut(this.#committed.resources);
    this.scopeTable.cut(this.#committed.scopes);
  }

  /** Forgets everything; room beyond the usual is given back. */
  clear(base: number): void {
    this.base = base;
    this.count = 0;
    this.written = 0;
    this.#restLength = 0;
    if (this.#restBytes.length > 16 * restAtFirst) this.#restBytes = Buffer.allocUnsafeSlow(restAtFirst);
    if (this.traces.length > mostRowsKept) this.#shrink();
    this.traceTable.clear();
    this.nameTable.clear();
    this.resourceTable.clear();
    this.scopeTable.clear();
    this.commit();
  }

  #shrink(): void {
    this.traces = new Uint32Array(rowsAtFirst);
    this.starts = new Float64Array(rowsAtFirst);
    this.durations = new Float64Array(rowsAtFirst);
    this.names = new Uint32Array(rowsAtFirst);
    this.resources = new Uint32Array(rowsAtFirst);
    this.scopes = new Uint32Array(rowsAtFirst);
    this.bits = new Uint8Array(rowsAtFirst);
    if (this.weights) this.weights = new Uint8Array(rowsAtFirst);
    this.#restEnds = new Uint32Array(rowsAtFirst);
    this.ids = newIds(rowsAtFirst);
  }
}

const newIds = (rows: number): SpanIds => ({
  low: new Uint32Array(rows),
  high: new Uint32Array(rows),
  parentLow: new Uint32Array(rows),
  parentHigh: new Uint32Array(rows),
});
