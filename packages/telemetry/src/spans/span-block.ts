/**
 * Spans as a block: rows in the order of their traces, each kind of column a section of its own, so that a search reads only
 * what it asks about; rests in chunks, so that one trace costs one or two of them.
 */
import { Bloom } from "../store/bloom.ts";
import type { Block, Draft, Section } from "../store/segment.ts";
import { attributeFilter } from "./attribute-filter.ts";
import { encodeList } from "./byte-list.ts";
import { encodeParents } from "./parents.ts";
import { encodeIntegers, encodeNumbers } from "./planes.ts";
import { bits, type SpanRest, type SpanRows } from "./span-rows.ts";
import { idLength } from "./trace-table.ts";

/** What is known of a block without reading it. */
export interface SpansAbout {
  /** Milliseconds since the epoch, whole; times are relative to it. */
  readonly base: number;
  /** Nanoseconds. */
  readonly shortest: number;
  readonly longest: number;
  readonly errors: boolean;
  /** Name, spans, spans with errors; what was thinned out is counted. Absent: too many services to name. */
  readonly services?: readonly (readonly [string, number, number])[];
  /** Spans, with those thinned out. */
  readonly spans: number;
  /** How often it was thinned out: normal traces stand for 2^level. */
  readonly level: number;
}

export type SpanDraft = Draft<SpansAbout>;
export type SpanBlock = Block<SpansAbout>;

/** The sections of a block, in their order; the chunks of rests are last. */
export const section = {
  bloom: 0,
  traceIds: 1,
  traceSizes: 2,
  starts: 3,
  durations: 4,
  names: 5,
  resources: 6,
  scopes: 7,
  bits: 8,
  restLengths: 9,
  spanIds: 10,
  parents: 11,
  farParents: 12,
  nameList: 13,
  resourceList: 14,
  scopeList: 15,
  weights: 16,
  attributes: 17,
  firstChunk: 18,
} as const;

/** Bytes of rests in a chunk, at least, unless it is the last. */
export const chunkBytes = 256 * 1024;
const mostServices = 200;

/** A block of these rows, at least one, sorted by trace; their rests are one chunk. `level` as in `SpansAbout`. */
export function draftOf(rows: SpanRows, level = 0): SpanDraft {
  const order = byTrace(rows);
  const pick = <T extends Uint8Array | Uint32Array | Float64Array>(column: T): T => {
    const picked = new (column.constructor as new (length: number) => T)(order.rows.length);
    for (let at = 0; at < picked.length; at++) picked[at] = column[order.rows[at] as number] as number;
    return picked;
  };
  const starts = pick(rows.starts);
  const durations = pick(rows.durations);
  const ids = {
    low: pick(rows.ids.low),
    high: pick(rows.ids.high),
    parentLow: pick(rows.ids.parentLow),
    parentHigh: pick(rows.ids.parentHigh),
  };
  const parents = encodeParents(ids);
  const weights = rows.weights ? pick(rows.weights) : new Uint8Array(0);
  const bloom = new Bloom(order.sizes.length);
  for (let at = 0; at < order.ids.length; at += idLength) bloom.add(order.ids, at);
  const { lengths, chunks } = gather(rows.rest, order.rows);
  const { dictionary } = rows;
  const names = Array.from({ length: dictionary.names }, (_, number) => dictionary.name(number));
  const sections: Section[] = [];
  const put = (at: number, bytes: Uint8Array, plain = false) => {
    sections[at] = { bytes, plain };
  };
  put(section.bloom, bloom.bytes, true);
  put(section.traceIds, order.ids);
  put(section.traceSizes, encodeIntegers(order.sizes));
  put(section.starts, encodeNumbers(starts, true));
  put(section.durations, encodeNumbers(durations, false));
  put(section.names, encodeIntegers(pick(rows.names)));
  put(section.resources, encodeIntegers(pick(rows.resources)));
  put(section.scopes, encodeIntegers(pick(rows.scopes)));
  put(section.bits, pick(rows.bits));
  put(section.restLengths, encodeIntegers(lengths));
  put(section.spanIds, Buffer.concat([bytesOf(ids.low), bytesOf(ids.high)]), true);
  put(section.parents, parents.codes);
  put(section.farParents, bytesOf(parents.far), true);
  put(section.nameList, encodeList(names));
  put(
    section.resourceList,
    encodeList(dictionary.resources.flatMap(({ bytes, service }) => [bytes, Buffer.from(service)])),
  );
  put(section.scopeList, encodeList(dictionary.scopes.map(({ bytes }) => bytes)));
  put(section.weights, weights);
  put(section.attributes, attributeFilter(rows.rest, rows.count), true);
  for (const [index, chunk] of chunks.entries()) put(section.firstChunk + index, chunk);
  const [first, last] = extent(starts);
  return {
    from: Math.floor(rows.base + first / 1e6),
    to: Math.ceil(rows.base + last / 1e6),
    rows: order.rows.length,
    about: aboutOf(rows, durations, level),
    sections,
  };
}

function aboutOf(rows: SpanRows, durations: Float64Array, level: number): SpansAbout {
  const services = servicesOf(rows);
  const [shortest, longest] = extent(durations);
  return {
    base: rows.base,
    shortest,
    longest,
    errors: services.some(([, , errors]) => errors > 0),
    services: services.length > mostServices ? undefined : services,
    spans: services.reduce((sum, [, spans]) => sum + spans, 0),
    level,
  };
}

/** Name, spans, spans with errors of each service; what was thinned out is counted. */
export function servicesOf({ count, resources, bits: bit, weights, dictionary }: SpanRows): [string, number, number][] {
  const spans = new Float64Array(dictionary.resources.length);
  const errors = new Float64Array(spans.length);
  for (let row = 0; row < count; row++) {
    const resource = resources[row] as number;
    const weight = weights ? 1 << (weights[row] as number) : 1;
    spans[resource] = (spans[resource] as number) + weight;
    if (((bit[row] as number) & bits.status) === bits.error) errors[resource] = (errors[resource] as number) + weight;
  }
  const services = new Map<string, [string, number, number]>();
  for (const [resource, { service }] of dictionary.resources.entries()) {
    if (spans[resource] === 0) continue;
    const sum = services.get(service) ?? [service, 0, 0];
    sum[1] += spans[resource] as number;
    sum[2] += errors[resource] as number;
    services.set(service, sum);
  }
  return [...services.values()];
}

interface Order {
  /** Old row of each new one. */
  readonly rows: Uint32Array;
  /** Of the traces, 16 bytes each. */
  readonly ids: Buffer;
  readonly sizes: Uint32Array;
}

/** Rows sorted by trace, in the order in which these first came. */
function byTrace({ count, traces, traceIds }: SpanRows): Order {
  const sizes = new Uint32Array(traceIds.length / idLength);
  for (let row = 0; row < count; row++) {
    const trace = traces[row] as number;
    sizes[trace] = (sizes[trace] as number) + 1;
  }
  const places = new Uint32Array(sizes.length);
  for (let trace = 1; trace < sizes.length; trace++)
    places[trace] = (places[trace - 1] as number) + (sizes[trace - 1] as number);
  const rows = new Uint32Array(count);
  for (let row = 0; row < count; row++) {
    const trace = traces[row] as number;
    const place = places[trace] as number;
    rows[place] = row;
    places[trace] = place + 1;
  }
  return { rows, ids: Buffer.from(traceIds), sizes };
}

/** Rests in the new order, in chunks of whole rows. */
function gather(rest: SpanRest, rows: Uint32Array) {
  const lengths = new Uint32Array(rows.length);
  const chunks: Buffer[] = [];
  const bytes = rest.bytes(0);
  const target = Buffer.allocUnsafeSlow(bytes.length);
  let begun = 0;
  let at = 0;
  for (let place = 0; place < rows.length; place++) {
    const row = rows[place] as number;
    if (at - begun >= chunkBytes) {
      chunks.push(target.subarray(begun, at));
      begun = at;
    }
    const start = rest.start(row);
    const end = rest.end(row);
    bytes.copy(target, at, start, end);
    lengths[place] = end - start;
    at += end - start;
  }
  chunks.push(target.subarray(begun, at));
  return { lengths, chunks };
}

function extent(values: Float64Array): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let row = 0; row < values.length; row++) {
    const value = values[row] as number;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

const bytesOf = (words: Uint32Array): Buffer => Buffer.from(words.buffer, words.byteOffset, words.byteLength);
