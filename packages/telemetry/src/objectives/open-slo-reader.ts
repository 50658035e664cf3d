/** Reads documents field by field, and keeps what is wrong with each place. */
import { isRecord } from "@flotilla/objects";

export interface OpenSloMistake {
  /** Which of the documents, from 0. */
  readonly document: number;
  /** "SLO search-slo: spec.timeWindow[0].calendar" */
  readonly path: string;
  readonly message: string;
  readonly remedy: string;
}

/** A value and where it stands. */
export class Place {
  readonly document: number;
  readonly path: string;
  readonly value: unknown;

  constructor(document: number, path: string, value: unknown) {
    this.document = document;
    this.path = path;
    this.value = value;
  }

  child(key: string | number): Place {
    const value = (this.value as Record<string | number, unknown> | undefined | null)?.[key];
    const step = typeof key === "number" ? `[${key}]` : this.path === "" || this.path.endsWith(" ") ? key : `.${key}`;
    return new Place(this.document, `${this.path}${step}`, value ?? undefined);
  }
}

const kinds = ["DataSource", "SLO", "SLI", "AlertPolicy", "AlertCondition", "AlertNotificationTarget", "Service"];

/** Milliseconds of OpenSLO's durations; months and quarters in days, as a rolling window has to. */
const units: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  M: 30 * 86_400_000,
  Q: 90 * 86_400_000,
  Y: 365 * 86_400_000,
};

export class Reader {
  readonly mistakes: OpenSloMistake[] = [];
  readonly #documents: readonly Place[];

  constructor(documents: readonly unknown[]) {
    // A document may be a list of objects.
    this.#documents = documents.flatMap((document, i) =>
      (Array.isArray(document) ? document : [document]).map((value) => new Place(i, `${titleOf(value)}: `, value)),
    );
    for (const at of this.#documents) this.#checkDocument(at);
  }

  #checkDocument(at: Place): void {
    const { apiVersion, kind } = isRecord(at.value) ? at.value : {};
    if (apiVersion !== "openslo/v1")
      this.wrong(
        at.child("apiVersion"),
        `${JSON.stringify(apiVersion ?? null)} is not supported`,
        "only openslo/v1 is",
      );
    else if (!kinds.includes(String(kind)))
      this.wrong(
        at.child("kind"),
        `${JSON.stringify(kind ?? null)} is no kind of OpenSLO`,
        `there are ${kinds.join(", ")}`,
      );
    this.fields(at, ["apiVersion", "kind", "metadata", "spec"]);
  }

  wrong({ document, path }: Place, message: string, remedy: string): void {
    const place = path.replace(/: $/, "");
    const known = (each: OpenSloMistake) =>
      each.document === document && each.path === place && each.message === message;
    if (!this.mistakes.some(known)) this.mistakes.push({ document, path: place, message, remedy });
  }

  /** Whether there is a mistake in an SLO, or in anything that it may refer to. */
  isWrong({ document, path }: Place): boolean {
    const own = path.replace(/: $/, "");
    return this.mistakes.some(
      (mistake) =>
        !mistake.path.startsWith("SLO ") ||
        (mistake.document === document && (mistake.path === own || mistake.path.startsWith(path))),
    );
  }

  ofKind(kind: string): Place[] {
    return this.#documents.filter(
      ({ value }) => isRecord(value) && value.apiVersion === "openslo/v1" && value.kind === kind,
    );
  }

  /** What is none of these is refused by name. */
  fields(at: Place, known: readonly string[]): { readonly at: Place } {
    if (at.value !== undefined && !isRecord(at.value)) this.wrong(at, "is no object", "correct it");
    for (const key of Object.keys(this.record(at)))
      if (!known.includes(key))
        this.wrong(at.child(key), "no such field, or not supported", `there are ${known.join(", ")}`);
    return { at };
  }

  record({ value }: Place): Record<string, unknown> {
    return isRecord(value) ? value : {};
  }

  list(at: Place): Place[] {
    if (at.value === undefined) return [];
    if (Array.isArray(at.value)) return at.value.map((_, i) => at.child(i));
    this.wrong(at, "is no list", "write a list");
    return [];
  }

  text(at: Place): string | undefined {
    if (typeof at.value === "string" && at.value !== "") return at.value;
    this.wrong(at, at.value === undefined ? "is missing" : "is no text", "add it as a text");
    return undefined;
  }

  optionalText(at: Place): string | undefined {
    return at.value === undefined ? undefined : this.text(at);
  }

  number(at: Place): number | undefined {
    if (typeof at.value === "number" && Number.isFinite(at.value)) return at.value;
    this.wrong(at, at.value === undefined ? "is missing" : "is no number", "add it as a number");
    return undefined;
  }

  duration(at: Place): number | undefined {
    const [, count, unit = ""] = /^([1-9]\d*)([mhdwMQY])$/.exec(String(at.value)) ?? [];
    if (count !== undefined) return Number(count) * (units[unit] ?? 0);
    this.wrong(at, `${JSON.stringify(at.value ?? null)} is no duration`, 'write for example "4w"');
    return undefined;
  }

  /** The document that a name means. */
  referred(at: Place, kind: string): Place | undefined {
    const name = this.text(at);
    if (name === undefined) return undefined;
    const found = this.ofKind(kind).find((each) => each.child("metadata").child("name").value === name);
    if (!found) this.wrong(at, `there is no ${kind} "${name}"`, "add it to the documents, or state it here");
    return found;
  }

  /** The type of a DataSource. */
  dataSource(at: Place): unknown {
    const found = this.referred(at, "DataSource");
    if (!found) return undefined;
    const spec = found.child("spec");
    this.fields(spec, ["description", "type"]);
    return spec.child("type").value;
  }
}

function titleOf(value: unknown): string {
  if (!isRecord(value)) return "document";
  const name = isRecord(value.metadata) ? value.metadata.name : undefined;
  return [value.kind ?? "document", name].filter(Boolean).join(" ");
}
