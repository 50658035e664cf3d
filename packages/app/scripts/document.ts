/**
 * Writes the reference of the model into docs/model.md, from the same table that `check` reads:
 *
 *     node scripts/run.mjs packages/app/scripts/document.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { appFields } from "../src/model/fields.ts";
import { type FormatName, formatOf, formats } from "../src/model/formats.ts";
import type { Field, Fields, Shape } from "../src/model/shape.ts";
import { becomes } from "./becomes.ts";

export const page = new URL("../../../docs/model.md", import.meta.url);
const width = 130;
const begin = "<!-- fields: written by packages/app/scripts/document.ts -->";
const end = "<!-- end of fields -->";

/** What is described under a title of its own: where it is in the model, "*" for a record's keys and "[]" for a list's items. */
const sections: readonly (readonly [title: string, path: string])[] = [
  ["App", ""],
  ["Environment", "environments.*"],
  ["Telemetry", "environments.*.telemetry"],
  ["Otlp", "environments.*.telemetry.otlp"],
  ["Prometheus", "environments.*.telemetry.prometheus"],
  ["Metrics", "environments.*.telemetry.metrics"],
  ["Retention", "environments.*.telemetry.retention.traces"],
  ["Receiver", "environments.*.telemetry.alerts.[]"],
  ["Service", "services.*"],
  ["Port", "services.*.ports.*"],
  ["Call", "services.*.calls.[]"],
  ["Use", "services.*.uses.[]"],
  ["Probes", "services.*.probes"],
  ["Probe", "services.*.probes.readiness"],
  ["Scale", "services.*.scale"],
  ["Resources", "services.*.resources"],
  ["Volume", "services.*.volumes.*"],
  ["Identity", "services.*.identity"],
  ["Placement", "services.*.placement"],
  ["Objectives", "services.*.objectives"],
  ["Release", "services.*.release"],
  ["Job", "jobs.*"],
  ["Backing", "backing.*"],
  ["External", "external.*"],
  ["Secret", "secrets.*"],
  ["Route", "routes.[]"],
  ["Backend", "routes.[].backends.[]"],
  ["Rewrite", "routes.[].rewrite"],
  ["Redirect", "routes.[].redirect"],
];

/** Whose fields a section repeats; only the others are listed there. */
const extended: Readonly<Record<string, string>> = { Environment: "App", Job: "Service" };

function objectIn(shape: Shape | undefined): Fields | undefined {
  if (shape?.is === "object") return shape.fields;
  // The last alternative is the long form.
  return shape?.is === "either" ? shape.of.map(objectIn).findLast((fields) => fields !== undefined) : undefined;
}

function step(shape: Shape | undefined, key: string): Shape | undefined {
  if (key === "*") return shape?.is === "record" ? shape.of : undefined;
  if (key === "[]") return shape?.is === "list" ? shape.of : undefined;
  return objectIn(shape)?.[key]?.shape;
}

/** The shape at a path; undefined when the model has no such place. */
export function shapeAt(path: string): Shape | undefined {
  const keys = path === "" ? [] : path.split(".");
  return keys.reduce<Shape | undefined>(step, { is: "object", fields: appFields });
}

const fieldsOf = (path: string): Fields => {
  const fields = objectIn(shapeAt(path));
  if (!fields) throw new Error(`the model has no object at "${path}"`);
  return fields;
};

/** The section of an object, or of one that has all its fields and more. */
function titleOf(fields: Fields): string | undefined {
  const repeats = (path: string) => {
    const known = fieldsOf(path);
    return Object.entries(fields).every(([key, field]) => known[key] === field);
  };
  return (sections.find(([, path]) => fieldsOf(path) === fields) ?? sections.find(([, path]) => repeats(path)))?.[0];
}

const noun: Partial<Record<FormatName, string>> = { any: "text" };
const formatName = (name: FormatName): string =>
  noun[name] ?? name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
const words = (values: readonly (string | number)[]) => values.map((value) => `\`${value}\``).join(" | ");

function typeOf(shape: Shape): string {
  switch (shape.is) {
    case "text":
      return shape.format ? formatName(shape.format) : "text";
    case "number":
      if (shape.max !== undefined) return `number, ${shape.min ?? 0} to ${shape.max}`;
      return shape.min === undefined ? "number" : `number from ${shape.min}`;
    case "boolean":
      return "true or false";
    case "choice":
      return words(shape.of) + (shape.later ? ` (not built yet: ${words(shape.later)})` : "");
    case "name":
      return `name of ${shape.of.map((kind) => (kind === "external" ? "an external" : `a ${kind}`)).join(" or ")}`;
    case "list":
      return `list of ${typeOf(shape.of)}`;
    case "record":
      return `by ${formatName(shape.keys)}: ${typeOf(shape.of)}`;
    case "object": {
      const title = titleOf(shape.fields);
      if (title) return `[${title}](#${title.toLowerCase()})`;
      const inline = Object.entries(shape.fields).map(([key, { shape: of }]) => `${key}: ${typeOf(of)}`);
      return `{${inline.join(", ")}}`;
    }
    case "either":
      return shape.of.map(typeOf).join(" or ");
    case "kube":
      return `Kubernetes' ${shape.type}`;
    case "json":
      return "part of an object";
  }
}

/** A list item in lines of at most `width` characters. */
function item(text: string): string {
  const lines: string[] = [];
  let line = "-";
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > width) {
      lines.push(line);
      line = ` ${word === "" ? "" : ` ${word}`}`;
    } else line += ` ${word}`;
  }
  return [...lines, line].join("\n");
}

function describe(key: string, field: Field, path: string): string {
  if (field.later) return item(`\`${key}\`: *not built yet.* ${field.doc}`);
  const stated = field.default === undefined ? "" : `, default \`${field.default}\``;
  const needed = field.required ? ", required" : "";
  const result = becomes[path];
  return item(`\`${key}\`: ${typeOf(field.shape)}${needed}${stated}. ${field.doc}${result ? ` → ${result}.` : ""}`);
}

function section(title: string, path: string): string {
  const base = extended[title];
  const inherited = base === undefined ? {} : fieldsOf(sections.find(([name]) => name === base)?.[1] ?? "");
  const all = Object.entries(fieldsOf(path));
  const own = all.filter(([key, field]) => inherited[key] !== field);
  const shared = all.filter(([key, field]) => inherited[key] === field).map(([key]) => `\`${key}\``);
  const place = path === "" ? "The whole file." : `At \`${path.replaceAll(".[]", "[]")}\`.`;
  const also =
    shared.length > 0 ? ` Also these fields of [${base}](#${base?.toLowerCase()}): ${shared.join(", ")}.` : "";
  const lead = item(place + also)
    .replace(/^- /, "")
    .replaceAll("\n  ", "\n");
  const rows = own.map(([key, field]) => describe(key, field, path === "" ? key : `${path}.${key}`));
  return `### ${title}\n\n${lead}\n\n${rows.join("\n")}\n`;
}

function formsOfText(): string {
  const used = (Object.keys(formats) as FormatName[]).filter((name) => name !== "any");
  const rows = used.map((name) => item(`${formatName(name)}: ${formatOf(name).says}, as ${formatOf(name).example}`));
  return `### Forms of text\n\n${rows.join("\n")}\n`;
}

/** The part of docs/model.md between its marks. */
export const reference = (): string =>
  [...sections.map(([title, path]) => section(title, path)), formsOfText()].join("\n");

/** The page with its reference as it is now. Throws when it lacks the marks. */
export function documented(text: string): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/model.md lacks the lines "${begin}" and "${end}"`);
  return `${text.slice(0, from + begin.length)}\n\n${reference()}\n${text.slice(to)}`;
}

/** Fields that `becomes` should speak of: those under a title at the top, as far as they are built. */
export function effective(): string[] {
  const top = new Set(["App", "Environment", "Service", "Job", "Backing", "External", "Secret", "Route"]);
  return sections
    .filter(([title]) => top.has(title))
    .flatMap(([title, path]) => {
      const base = extended[title];
      const inherited = base === undefined ? {} : fieldsOf(sections.find(([name]) => name === base)?.[1] ?? "");
      return Object.entries(fieldsOf(path))
        .filter(([key, field]) => !field.later && inherited[key] !== field)
        .map(([key]) => (path === "" ? key : `${path}.${key}`));
    });
}

if (import.meta.main) writeFileSync(page, documented(readFileSync(page, "utf8")));
