/** Finds records in one block: what is cheap and rules out most comes first, and a section is read when it is first needed. */
import { attribute, serviceOf, textOf } from "../attributes.ts";
import { type LogSearch, QueryError } from "../telemetry.ts";
import { Expression } from "./expression.ts";
import { flag } from "./log-columns.ts";
import type { LogSource, LogView } from "./log-view.ts";
import { TimeLimitError, within } from "./time-limit.ts";

interface SoughtAttribute {
  readonly key: string;
  readonly value: string;
  /** Bytes that are in every record that has it. */
  readonly bytes: readonly Buffer[];
}

/** A search made ready for many blocks. */
export interface Sought {
  readonly from: number;
  readonly to: number;
  readonly services: ReadonlySet<string> | undefined;
  readonly attributes: readonly SoughtAttribute[];
  readonly traceId: string | undefined;
  readonly traceBytes: Buffer | undefined;
  readonly spanId: string | undefined;
  readonly expression: Expression | undefined;
  readonly minSeverity: number;
  readonly event: string | undefined;
  /** The number after which records are sought; -1: all. */
  readonly after: number;
}

/** Milliseconds that an expression may take for one block. */
const expressionTime = 500;

/** What cannot be searched for is a `QueryError`. */
export function soughtBy(search: LogSearch): Sought {
  const { from = -Infinity, to = Infinity, services, attributes = {}, grep, minSeverity = 0, event, after } = search;
  const traceId = search.traceId?.toLowerCase();
  const spanId = search.spanId?.toLowerCase();
  if (traceId !== undefined && !/^[0-9a-f]{32}$/.test(traceId)) throw new QueryError("a trace id has 32 hex digits");
  if (spanId !== undefined && !/^[0-9a-f]{16}$/.test(spanId)) throw new QueryError("a span id has 16 hex digits");
  if (after !== undefined && !/^\d{1,16}$/.test(after)) throw new QueryError(`after: ${after} is no record's id`);
  return {
    from,
    to,
    services: services && new Set(services),
    attributes: Object.entries(attributes).map(([key, value]) => {
      const bytes = [key, ...(isAlwaysText(value) ? [value] : [])].map((text) => Buffer.from(text));
      return { key, value, bytes };
    }),
    traceId,
    traceBytes: traceId === undefined ? undefined : Buffer.from(traceId, "hex"),
    spanId,
    expression: grep === undefined || grep === "" ? undefined : new Expression(grep, search.ignoreCase),
    minSeverity,
    event,
    after: after === undefined ? -1 : Number(after),
  };
}

/** Values of other types have texts of these forms: numbers, booleans, JSON, base64. */
const isAlwaysText = (value: string): boolean =>
  !/^$|^[-\d[{]|^(?:true|false|NaN|Infinity)$/.test(value) &&
  !(value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value));

/** Whether the block may hold anything of it, by what is known without reading it. */
export function mayMatch(sought: Sought, { from, to, rows, about }: LogSource): boolean {
  const { services, event } = sought;
  return (
    from <= sought.to &&
    to >= sought.from &&
    about.last > sought.after &&
    about.maxSeverity >= sought.minSeverity &&
    (sought.traceId === undefined || about.traces > 0) &&
    (!services || !about.services || about.services.some((service) => services.has(service))) &&
    (event === undefined ? about.plain > 0 : rows > about.plain) &&
    (event === undefined || event === "*" || !about.events || about.events.includes(event))
  );
}

/** Places in the block of the records that match, in their order. */
export function matchesIn(view: LogView, sought: Sought): number[] {
  if (sought.traceBytes && !view.mayHoldTrace(sought.traceBytes)) return [];
  const origins = originsFor(view, sought);
  if (!origins) return [];
  const { expression } = sought;
  const candidates = (expression ? withLiterals(view, expression) : undefined) ?? onlyInRecords(view, sought, origins);
  const found = candidates.filter((index) => passes(view, index, sought, origins));
  if (!expression || expression.isLiteral || found.length === 0) return found;
  const matching = () => found.filter((index) => expression.matches(view.textOf(index)));
  return expression.repeats ? inTime(matching) : matching();
}

function inTime<T>(run: () => T): T {
  try {
    return within(expressionTime, run);
  } catch (error) {
    if (!(error instanceof TimeLimitError)) throw error;
    throw new QueryError(
      "1:1: the expression takes too long: it has too many ways to match; repeat less inside of what is repeated",
    );
  }
}

interface OriginTest {
  /** By number: the service is one of those asked for. */
  readonly service: readonly boolean[] | undefined;
  /** For each attribute asked for, by number of the origin: the resource has it. */
  readonly attributes: readonly (readonly boolean[])[];
}

/** Undefined: no record can match. */
function originsFor(view: LogView, { services, attributes }: Sought): OriginTest | undefined {
  if (!services && attributes.length === 0) return { service: undefined, attributes: [] };
  const { list, keys } = view.origins;
  const service = services && list.map(({ resource }) => services.has(serviceOf(resource)));
  if (service?.every((has) => !has)) return undefined;
  const tests = attributes.map(({ key, value, bytes }) =>
    list.map(
      (origin) =>
        bytes.every((each) => origin.bytes.includes(each)) && attribute(origin.resource.attributes, key) === value,
    ),
  );
  const isPossible = tests.every((test, index) => {
    return test.includes(true) || !keys || keys.has(attributes[index]?.key as string);
  });
  return isPossible ? { service, attributes: tests } : undefined;
}

/** Everything but the text. */
function passes(view: LogView, index: number, sought: Sought, origins: OriginTest): boolean {
  const { flags: all, severity, ms, origin, number } = view.columns;
  const flags = all[index] as number;
  const time = ms[index] as number;
  if (time < sought.from || time > sought.to || (severity[index] as number) < sought.minSeverity) return false;
  if ((number[index] as number) <= sought.after) return false;
  const isEvent = (flags & flag.event) !== 0;
  if (isEvent !== (sought.event !== undefined)) return false;
  const from = origin[index] as number;
  if (origins.service && !origins.service[from]) return false;
  if (sought.traceId !== undefined && view.traceId(index) !== sought.traceId) return false;
  if (sought.spanId !== undefined && view.spanId(index) !== sought.spanId) return false;
  if (sought.event !== undefined && sought.event !== "*" && view.rest(index).eventName !== sought.event) return false;
  return sought.attributes.every(
    (each, number) => origins.attributes[number]?.[from] || hasAttribute(view, index, each),
  );
}

/** Most records do not have it: bytes are looked for before anything is decoded. */
function hasAttribute(view: LogView, index: number, { key, value, bytes }: SoughtAttribute): boolean {
  const rest = view.restOf(index);
  if (!bytes.every((each) => rest.includes(each))) return false;
  const found = view.rest(index).attributes?.find((each) => each.key === key);
  return found !== undefined && textOf(found.value) === value;
}

/** Records that may match: where no resource has an attribute, those that have its bytes. */
function onlyInRecords(view: LogView, { attributes }: Sought, origins: OriginTest): readonly number[] {
  const needle = attributes.find((_, number) => !origins.attributes[number]?.includes(true))?.bytes.at(-1);
  if (needle === undefined || needle.length === 0) return allOf(view);
  const place = new Occurrences(view.rests, needle);
  const { restEnd } = view.columns;
  const found: number[] = [];
  while (place.at < Infinity) {
    const index = rowAt(restEnd, place.at, (found.at(-1) ?? -1) + 1);
    found.push(index);
    place.moveTo(restEnd[index] as number);
  }
  return found;
}

const allOf = (view: LogView): number[] => Array.from({ length: view.source.rows }, (_, index) => index);

/** Records with one of the literals that the expression requires; undefined: it requires none. */
function withLiterals(view: LogView, { literals, ignoreCase }: Expression): number[] | undefined {
  if (!literals) return undefined;
  const text = ignoreCase ? folded(view.text) : view.text;
  const places = literals.map((literal) => new Occurrences(text, literal));
  const found: number[] = [];
  for (let first = 0; ; ) {
    const next = places.reduce((least, place) => (place.at < least.at ? place : least));
    if (next.at === Infinity) return found;
    const { textEnd } = view.columns;
    const index = rowAt(textEnd, next.at, first);
    const end = textEnd[index] as number;
    if (next.at + next.length <= end) {
      found.push(index);
      first = index + 1;
      for (const place of places) place.moveTo(end);
    } else {
      // It begins in one text and ends in another.
      first = index;
      next.moveTo(next.at + 1);
    }
  }
}

class Occurrences {
  readonly #text: Buffer;
  readonly #literal: Buffer;
  /** Of the next one; Infinity: there is none. */
  at = 0;

  constructor(text: Buffer, literal: Buffer) {
    this.#text = text;
    this.#literal = literal;
    this.at = this.#find(0);
  }

  get length(): number {
    return this.#literal.length;
  }

  moveTo(place: number): void {
    if (this.at < place) this.at = this.#find(place);
  }

  #find(from: number): number {
    const at = this.#text.indexOf(this.#literal, from);
    return at < 0 ? Infinity : at;
  }
}

/** The text, from the one at `first` on, that the place is in. */
function rowAt(ends: Uint32Array, place: number, first: number): number {
  let low = first;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ends[middle] as number) > place) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What blocks are folded into, one after the other. */
let lower = Buffer.alloc(0);

/** ASCII letters in lower case; places stay the same. Valid until the next call. */
function folded(text: Buffer): Buffer {
  if (lower.length < text.length) lower = Buffer.allocUnsafeSlow(text.length * 2);
  const target = lower;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] as number;
    target[at] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
  }
  return target.subarray(0, text.length);
}
