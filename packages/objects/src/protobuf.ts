/**
 * Kubernetes' protobuf bodies (application/vnd.kubernetes.protobuf): four bytes "k8s\0", then a runtime.Unknown that says
 * apiVersion and kind and holds the object.
 *
 * Source: apimachinery pkg/runtime/serializer/protobuf, pkg/runtime/types.go.
 */
import { parseApiVersion, typeIn } from "./lookup.ts";
import { decodeMessage } from "./protobuf-decode.ts";
import { encodeMessage } from "./protobuf-encode.ts";
import { planOf } from "./protobuf-plan.ts";
import { malformed, Reader, Writer, wire } from "./protobuf-wire.ts";
import { badRequest } from "./status-error.ts";

const magic = [0x6b, 0x38, 0x73, 0x00];

/** Whether a body begins as Kubernetes' protobuf bodies do. */
export const isProtobuf = (body: Uint8Array): boolean => magic.every((byte, at) => body[at] === byte);

/** Lists and options are types of the table, too; those of meta/v1 belong to every group. */
function typeFor(apiVersion: string, kind: string): string | undefined {
  const { group, version } = parseApiVersion(apiVersion);
  return [`${group || "core"}/${version}.${kind}`, `meta/v1.${kind}`].find((name) => typeIn(name));
}

/** The object of a body, as JSON. Throws a BadRequest for what is malformed or of a kind without a protobuf form. */
export function decodeProtobuf(body: Uint8Array): Record<string, unknown> & { apiVersion: string; kind: string } {
  if (!isProtobuf(body)) throw badRequest("provided data does not appear to be a protobuf message");
  const envelope = new Reader(body.subarray(magic.length));
  let apiVersion = "";
  let kind = "";
  let raw: Uint8Array = new Uint8Array();
  let contentType = "";
  let contentEncoding = "";
  while (!envelope.done) {
    const { number, type } = envelope.tag();
    if (number === 1) ({ apiVersion, kind } = decodeTypeMeta(envelope.bytes()));
    else if (number === 2) raw = envelope.bytes();
    else if (number === 3) contentEncoding = envelope.string();
    else if (number === 4) contentType = envelope.string();
    else envelope.skip(type);
  }
  if (contentEncoding !== "") throw badRequest(`unsupported content encoding ${JSON.stringify(contentEncoding)}`);
  if (contentType === "application/json") {
    const value: unknown = parseJson(raw);
    if (typeof value !== "object" || value === null) throw malformed("the embedded object is no object");
    return { ...value, apiVersion, kind };
  }
  const name = typeFor(apiVersion, kind);
  if (!name || planOf(name).slots.length === 0) {
    throw badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
  }
  return { apiVersion, kind, ...decodeMessage(name, raw) };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw malformed("the embedded object is not JSON");
  }
}

function decodeTypeMeta(bytes: Uint8Array): { apiVersion: string; kind: string } {
  const reader = new Reader(bytes);
  const meta = { apiVersion: "", kind: "" };
  while (!reader.done) {
    const { number, type } = reader.tag();
    if (number === 1) meta.apiVersion = reader.string();
    else if (number === 2) meta.kind = reader.string();
    else reader.skip(type);
  }
  return meta;
}

/** The body for an object (or a list, or a Status); undefined when its kind has no protobuf form. */
export function encodeProtobuf(object: {
  readonly apiVersion?: string;
  readonly kind?: string;
}): Uint8Array | undefined {
  const { apiVersion = "", kind = "" } = object;
  const name = typeFor(apiVersion, kind);
  // The kinds of the Gateway API and Flotilla's own have no numbers.
  if (!name || planOf(name).slots.length === 0) return undefined;
  const raw = encodeMessage(name, object as Record<string, unknown>);
  const meta = new Writer();
  meta.tag(1, wire.bytes);
  meta.string(apiVersion);
  meta.tag(2, wire.bytes);
  meta.string(kind);
  const envelope = new Writer();
  envelope.tag(1, wire.bytes);
  envelope.bytes(meta.finish());
  envelope.tag(2, wire.bytes);
  envelope.bytes(raw);
  envelope.tag(3, wire.bytes);
  envelope.string("");
  envelope.tag(4, wire.bytes);
  envelope.string("");
  const bytes = envelope.finish();
  const body = new Uint8Array(magic.length + bytes.length);
  body.set(magic);
  body.set(bytes, magic.length);
  return body;
}
