/**
 * Writes src/otlp/generated/messages.ts: the fields of OTLP's messages, read from the published .proto files (as a Go module,
 * which pins them). Run: node packages/telemetry/scripts/otlp-messages.ts
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";

const version = "v1.10.0";
const files = ["trace/v1/trace_service", "metrics/v1/metrics_service", "logs/v1/logs_service"];

// Indexes into a table that only profiles have; other signals must not use them.
const profilesOnly = new Set(["stringValueStrindex", "keyStrindex"]);

const module_ = JSON.parse(
  execFileSync("go", ["mod", "download", "-json", `github.com/open-telemetry/opentelemetry-proto@${version}`], {
    encoding: "utf8",
  }),
) as { Dir: string };
const root = new protobuf.Root();
root.resolvePath = (_origin, target) => join(module_.Dir, target);
root.loadSync(files.map((file) => `opentelemetry/proto/collector/${file}.proto`)).resolveAll();

const messages: protobuf.Type[] = [];
const enums: protobuf.Enum[] = [];
const collect = (namespace: protobuf.NamespaceBase): void => {
  for (const item of namespace.nestedArray) {
    // Flags are bit masks inside of integers, no field has them as its type.
    if (item instanceof protobuf.Enum && !item.name.endsWith("Flags")) enums.push(item);
    if (item instanceof protobuf.Type) messages.push(item);
    if (item instanceof protobuf.Namespace) collect(item);
  }
};
collect(root);

const nameOf = (type: protobuf.ReflectionObject): string =>
  type.parent instanceof protobuf.Type ? `${type.parent.name}${type.name}` : type.name;

function typeOf(field: protobuf.Field): string {
  if (field.resolvedType) return nameOf(field.resolvedType);
  return field.type === "bytes" && /(trace|span)id$/i.test(field.name) ? "id" : field.type;
}

function labelOf(field: protobuf.Field): string {
  if (field.repeated) return "repeated";
  if (field.partOf === null || field.partOf === undefined) return "";
  return field.partOf.isProto3Optional ? "optional" : "oneof";
}

const lines = [
  `// Written by scripts/otlp-messages.ts from opentelemetry-proto ${version}.`,
  "",
  '/** Number, name, type, and label: "optional" and "oneof" fields are told apart from their zero value when unset. */',
  'export type FieldRow = readonly [number, string, string, "" | "optional" | "oneof" | "repeated"];',
  "",
  "export const messages: Readonly<Record<string, readonly FieldRow[]>> = {",
];
for (const message of messages) {
  lines.push(`  ${nameOf(message)}: [`);
  const fields = message.fieldsArray.filter((field) => !profilesOnly.has(field.name)).sort((a, b) => a.id - b.id);
  for (const field of fields)
    lines.push(`    [${field.id}, "${field.name}", "${typeOf(field)}", "${labelOf(field)}"],`);
  lines.push("  ],");
}
lines.push("};", "", "export const enums: Readonly<Record<string, Readonly<Record<string, number>>>> = {");
for (const item of enums) {
  lines.push(`  ${nameOf(item)}: {`);
  for (const [name, value] of Object.entries(item.values)) lines.push(`    ${name}: ${value},`);
  lines.push("  },");
}
lines.push("};", "");
writeFileSync(new URL("../src/otlp/generated/messages.ts", import.meta.url), lines.join("\n"));
console.log(`${messages.length} messages, ${enums.length} enums`);
