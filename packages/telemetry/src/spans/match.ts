/** Which rows a search asks for: the cheap columns first, the rests of what is left last. */
import type { TraceSearch } from "../telemetry.ts";
import { attributeHash } from "./attribute-filter.ts";
import { AttributeQuery } from "./attribute-query.ts";
import type { SpansAbout } from "./span-block.ts";
import { decodeResourceSpans } from "./span-head.ts";
import { bits, type Envelope, type SpanRows } from "./span-rows.ts";

/** A search, prepared. */
export interface Wanted {
  readonly search: TraceSearch;
  readonly operation: Buffer | undefined;
  readonly attributes: readonly AttributeQuery[];
}

export const prepare = (search: TraceSearch): Wanted => ({
  search,
  operation: search.operation === undefined ? undefined : Buffer.from(search.operation),
  attributes: Object.entries(search.attributes ?? {}).map(([key, text]) => new AttributeQuery(key, text)),
});

const status = { unset: 0, ok: 1, error: 2 } as const;

/** Whether a block may hold a match, by what is known without reading it. */
export function mayMatch(about: SpansAbout, { search }: Wanted): boolean {
  const { service, minDuration = Number.NEGATIVE_INFINITY, maxDuration = Number.POSITIVE_INFINITY } = search;
  if (search.status === "error" && !about.errors) return false;
  if (about.longest < minDuration * 1e6 || about.shortest > maxDuration * 1e6) return false;
  return service === undefined || !about.services || about.services.some(([name]) => name === service);
}

/** Rows that match, rising. */
export function matches(rows: SpanRows, wanted: Wanted): Uint32Array {
  if (!wanted.attributes.every((query) => mayHave(rows, query))) return none;
  const found = byColumns(rows, wanted);
  return wanted.attributes.length === 0 || found.length === 0 ? found : byAttributes(rows, wanted.attributes, found);
}

const none = new Uint32Array(0);

/** Whether any span may have the attribute, or any resource has it. */
function mayHave(rows: SpanRows, query: AttributeQuery): boolean {
  if (!rows.mayHaveAttribute || !query.whole) return true;
  for (const needle of query.needles) if (rows.mayHaveAttribute(attributeHash(needle, 0, needle.length))) return true;
  return rows.dictionary.resources.some((resource) => hasAttribute(resource, query));
}

function byColumns(rows: SpanRows, { search, operation }: Wanted): Uint32Array {
  const { service, from, to, minDuration, maxDuration } = search;
  let found = new Uint32Array(rows.count);
  for (let row = 0; row < found.length; row++) found[row] = row;
  if (service !== undefined) {
    const isOf = Uint8Array.from(rows.dictionary.resources, (resource) => (resource.service === service ? 1 : 0));
    found = isOf.includes(1) ? chosen(found, rows.resources, isOf) : none;
  }
  if (operation !== undefined) {
    const isOf = namesEqualTo(rows, operation);
    found = isOf.includes(1) ? chosen(found, rows.names, isOf) : none;
  }
  if (search.status !== undefined && found.length > 0) {
    const wanted = status[search.status];
    const isOf = Uint8Array.from({ length: 256 }, (_, bit) =>
      (bit & bits.status) >> bits.statusShift === wanted ? 1 : 0,
    );
    found = chosen(found, rows.bits, isOf);
  }
  if ((minDuration !== undefined || maxDuration !== undefined) && found.length > 0) {
    const least = (minDuration ?? Number.NEGATIVE_INFINITY) * 1e6;
    // The next number: both bounds are included.
    const end = (maxDuration ?? Number.POSITIVE_INFINITY) * 1e6 + 1;
    found = between(found, rows.durations, least, end);
  }
  if ((from !== undefined || to !== undefined) && found.length > 0) {
    const least = ((from ?? Number.NEGATIVE_INFINITY) - rows.base) * 1e6;
    // The whole last millisecond.
    const end = ((to ?? Number.POSITIVE_INFINITY) + 1 - rows.base) * 1e6;
    found = between(found, rows.starts, least, end);
  }
  return found;
}

/** Of the rows, which are overwritten, those whose value is one that `isOf` marks. */
function chosen(rows: Uint32Array, values: Uint32Array | Uint8Array, isOf: Uint8Array): Uint32Array<ArrayBuffer> {
  let count = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    if (isOf[values[row] as number] === 1) rows[count++] = row;
  }
  return rows.subarray(0, count) as Uint32Array<ArrayBuffer>;
}

/** Of the rows, which are overwritten, those whose value is at least `least` and below `end`. */
function between(rows: Uint32Array, values: Float64Array, least: number, end: number): Uint32Array<ArrayBuffer> {
  let count = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    const value = values[row] as number;
    if (value >= least && value < end) rows[count++] = row;
  }
  return rows.subarray(0, count) as Uint32Array<ArrayBuffer>;
}

function namesEqualTo({ dictionary }: SpanRows, operation: Buffer): Uint8Array {
  const equal = new Uint8Array(dictionary.names);
  for (let number = 0; number < equal.length; number++)
    if (dictionary.name(number).equals(operation)) equal[number] = 1;
  return equal;
}

function byAttributes(rows: SpanRows, queries: readonly AttributeQuery[], found: Uint32Array): Uint32Array {
  const { resources, rest, dictionary } = rows;
  const inResource = queries.map((query) =>
    Uint8Array.from(dictionary.resources, (resource) => (hasAttribute(resource, query) ? 1 : 0)),
  );
  const hasAll = (row: number) => inResource.every((has) => has[resources[row] as number] === 1);
  let count = 0;
  for (let chunk = 0, next = 0; chunk < rest.chunks && next < found.length; chunk++) {
    const end = rest.first(chunk + 1);
    const begin = next;
    while (next < found.length && (found[next] as number) < end) next++;
    let left = found.slice(begin, next);
    if (!left.every(hasAll)) {
      const bytes = rest.bytes(chunk);
      for (const [index, query] of queries.entries()) {
        const isInResource = (row: number) => inResource[index]?.[resources[row] as number] === 1;
        const inRest = inChunk(rows, bytes, query, left);
        left = left.filter((row) => isInResource(row) || inRest(row));
      }
    }
    // No further than has been read.
    found.set(left, count);
    count += left.length;
  }
  return found.subarray(0, count);
}

function hasAttribute({ bytes }: Envelope, query: AttributeQuery): boolean {
  if (!query.needles.some((needle) => bytes.includes(needle))) return false;
  return query.isAmong(decodeResourceSpans(bytes).resource?.attributes);
}

/** Fewer rows than this in a chunk are looked at one by one. */
const fewRows = 64;

/** Tells of the rows, which are of one chunk, whether they have the attribute; the chunk's bytes are searched as a whole. */
function inChunk({ rest }: SpanRows, bytes: Buffer, query: AttributeQuery, rows: Uint32Array) {
  if (rows.length < fewRows) return (row: number) => query.isIn(bytes, rest.start(row), rest.end(row));
  const has = new Set<number>();
  for (const needle of query.needles) {
    let next = 0;
    for (let at = bytes.indexOf(needle); at >= 0; ) {
      // Both places and rows rise.
      next = firstEndingAfter(rows, rest.end, at, next);
      const row = rows[next];
      if (row === undefined) break;
      if (rest.start(row) <= at && query.isIn(bytes, rest.start(row), rest.end(row))) has.add(row);
      const from = Math.max(rest.start(row) <= at ? rest.end(row) : rest.start(row), at + 1);
      at = bytes.indexOf(needle, from);
    }
  }
  return (row: number) => has.has(row);
}

/** Index of the first of the rows, from `low` on, whose rest ends after `at`. */
function firstEndingAfter(rows: Uint32Array, endOf: (row: number) => number, at: number, low: number): number {
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (endOf(rows[middle] as number) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
