/**
 * Prometheus' text format 0.0.4 and OpenMetrics 1.0, parsed strictly: the first mistake ends it, with its line.
 *
 * Source: prometheus/docs exposition_formats.md, the OpenMetrics specification 1.0, and prometheus model/textparse where these
 * leave something open.
 */
import { type Cursor, openCursor } from "./exposition-cursor.ts";

export type ExposedType =
  | "counter"
  | "gauge"
  | "histogram"
  | "gaugehistogram"
  | "summary"
  | "info"
  | "stateset"
  | "unknown";

export interface Exemplar {
  readonly labels: readonly Label[];
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly time?: number;
}

export type Label = readonly [name: string, value: string];

export interface ExposedSample {
  /** With its suffix: `x_bucket`. */
  readonly name: string;
  readonly labels: readonly Label[];
  readonly value: number;
  /** Milliseconds since the epoch, where the text says one. */
  readonly time?: number;
  readonly exemplar?: Exemplar;
}

/** Samples that are said together, with what is said of them. */
export interface Family {
  readonly name: string;
  type: ExposedType;
  help: string;
  unit: string;
  readonly samples: ExposedSample[];
}

export class ExpositionError extends Error {
  /** Of the text, from 1. */
  readonly line: number;

  constructor(message: string, line: number) {
    super(`line ${line}: ${message}`);
    this.line = line;
  }
}

/** Samples of one text. */
const defaultMost = 200_000;

/** `contentType`: as the server says it; none is taken for 0.0.4. A mistake is an `ExpositionError`. */
export function parseExposition(text: string, contentType: string, most = defaultMost): Family[] {
  const isOpenMetrics = isOpenMetricsType(contentType);
  const cursor = openCursor(text, isOpenMetrics);
  const families = new Families(isOpenMetrics);
  let count = 0;
  for (;;) {
    if (!isOpenMetrics) cursor.skipBlank();
    if (cursor.isAtEnd) {
      if (isOpenMetrics) cursor.fail("the text does not end with # EOF");
      return families.all;
    }
    if (cursor.take("#")) {
      if (readComment(cursor, families, isOpenMetrics)) return families.all;
      continue;
    }
    const sample = readSample(cursor, isOpenMetrics);
    if (++count > most) cursor.fail(`more than ${most} samples`);
    families.of(sample.name).samples.push(sample);
  }
}

function isOpenMetricsType(contentType: string): boolean {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/openmetrics-text") return true;
  if (type === "" || type === "text/plain") return false;
  throw new ExpositionError(
    `the content type is ${type}, which is neither text/plain nor application/openmetrics-text`,
    1,
  );
}

const types: readonly string[] = [
  "counter",
  "gauge",
  "histogram",
  "gaugehistogram",
  "summary",
  "info",
  "stateset",
  "unknown",
];

/** What a sample's name has beyond its family's. */
const suffixes: Readonly<Record<ExposedType, readonly string[]>> = {
  counter: ["", "_total", "_created"],
  gauge: [""],
  histogram: ["", "_bucket", "_count", "_sum", "_created"],
  gaugehistogram: ["", "_bucket", "_gcount", "_gsum"],
  summary: ["", "_count", "_sum", "_created"],
  info: ["", "_info"],
  stateset: [""],
  unknown: [""],
};

class Families {
  readonly #byName = new Map<string, Family>();
  readonly #isOpenMetrics: boolean;
  #latest: Family | undefined;

  constructor(isOpenMetrics: boolean) {
    this.#isOpenMetrics = isOpenMetrics;
  }

  /** Those with samples. */
  get all(): Family[] {
    return [...this.#byName.values()].filter(({ samples }) => samples.length > 0);
  }

  named(name: string): Family {
    let family = this.#byName.get(name);
    if (!family) {
      family = { name, type: "unknown", help: "", unit: "", samples: [] };
      this.#byName.set(name, family);
    }
    this.#latest = family;
    return family;
  }

  /** The one that the sample is of: usually the one that was said last. */
  of(sample: string): Family {
    if (this.#latest && this.#has(this.#latest, sample)) return this.#latest;
    for (const suffix of ["_bucket", "_count", "_sum", "_total", "_created", "_gcount", "_gsum", "_info"]) {
      const family = sample.endsWith(suffix) ? this.#byName.get(sample.slice(0, -suffix.length)) : undefined;
      if (family && this.#has(family, sample)) return family;
    }
    return this.named(sample);
  }

  #has({ name, type }: Family, sample: string): boolean {
    if (!sample.startsWith(name)) return false;
    const suffix = sample.slice(name.length);
    // In the older format a counter is one sample, named as it is.
    if (!this.#isOpenMetrics && type === "counter") return suffix === "";
    return suffixes[type].includes(suffix);
  }
}

/** Whether it was the end. */
function readComment(cursor: Cursor, families: Families, isOpenMetrics: boolean): boolean {
  const isSpaced = isOpenMetrics ? cursor.take(" ") : cursor.skipSpaces();
  if (isOpenMetrics && !isSpaced) cursor.fail("a comment begins with # and a space");
  if (isOpenMetrics && cursor.take("EOF")) {
    cursor.take("\n");
    if (!cursor.isAtEnd) cursor.fail("something follows # EOF");
    return true;
  }
  const keyword = isSpaced ? cursor.keyword(isOpenMetrics ? ["HELP", "TYPE", "UNIT"] : ["HELP", "TYPE"]) : undefined;
  if (!keyword) {
    if (isOpenMetrics) cursor.fail("only HELP, TYPE, UNIT and EOF may follow # here");
    cursor.restOfLine();
    return false;
  }
  const family = families.named(cursor.metricName());
  const text = cursor.metadataText();
  if (keyword === "HELP") family.help = unescapedHelp(text, isOpenMetrics);
  else if (keyword === "TYPE") family.type = typeOf(cursor, text, isOpenMetrics);
  else {
    if (text !== "" && !family.name.endsWith(`_${text}`))
      cursor.failBefore(`the name ${family.name} does not end with its unit ${text}`);
    family.unit = text;
  }
  return false;
}

function typeOf(cursor: Cursor, text: string, isOpenMetrics: boolean): ExposedType {
  const type = text.trim();
  if (!isOpenMetrics && type === "untyped") return "unknown";
  if (!types.includes(type)) cursor.failBefore(`${JSON.stringify(type)} is no type of a metric`);
  return type as ExposedType;
}

function readSample(cursor: Cursor, isOpenMetrics: boolean): ExposedSample {
  let name = cursor.optionalName();
  if (!isOpenMetrics) cursor.skipSpaces();
  let labels: Label[] = [];
  if (cursor.take("{")) {
    const found = cursor.labels();
    labels = found.labels;
    if (found.name !== undefined && name !== undefined) cursor.fail("the metric's name is said twice");
    name ??= found.name;
  }
  if (name === undefined) return cursor.fail("expected the name of a metric");
  cursor.separator();
  const sample: { -readonly [K in keyof ExposedSample]: ExposedSample[K] } = { name, labels, value: cursor.number() };
  const time = cursor.optionalTime();
  if (time !== undefined) sample.time = time;
  if (isOpenMetrics && cursor.take(" # {")) sample.exemplar = readExemplar(cursor);
  cursor.endOfLine();
  return sample;
}

function readExemplar(cursor: Cursor): Exemplar {
  const { labels } = cursor.labels();
  cursor.separator();
  const value = cursor.number();
  const time = cursor.optionalTime();
  return { labels, value, ...(time !== undefined && { time }) };
}

function unescapedHelp(text: string, isOpenMetrics: boolean): string {
  return text.replace(/\\([\\n"])/g, (whole, character: string) => {
    if (character === "n") return "\n";
    return character === '"' && !isOpenMetrics ? whole : character;
  });
}
