/** Reads and decodes request bodies: JSON, YAML and Kubernetes protobuf, with a limit. */
import type { IncomingMessage } from "node:http";
import type { PatchType } from "@flotilla/client";
import { badRequest, decodeProtobuf, isRecord, requestEntityTooLarge, unsupportedMediaType } from "@flotilla/objects";
import { faultIn, scanJson } from "./scan-json.ts";

// Source: apiserver pkg/server (MaxRequestBodyBytes).
const bodyLimit = 3 * 1024 * 1024;

export type FieldValidation = "Strict" | "Warn" | "Ignore";

export interface Decoding {
  readonly fieldValidation: FieldValidation;
  warn(message: string): void;
}

const patchTypes: Readonly<Record<string, PatchType>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};

function readBody(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = () => requestEntityTooLarge(`limit is ${bodyLimit}`);
  if (Number(request.headers["content-length"] ?? 0) > bodyLimit) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= bodyLimit) chunks.push(chunk);
      else {
        request.removeAllListeners("data");
        request.resume();
        reject(tooLarge());
      }
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", () => reject(badRequest("the request ended before its body was complete")));
    request.on("aborted", () => reject(badRequest("the request ended before its body was complete")));
  });
}

/** The object of a create, update or delete; undefined when there is no body. */
export async function readObject(request: IncomingMessage, decoding: Decoding): Promise<unknown> {
  const body = await readBody(request);
  const type = mediaType(request);
  if (body.length === 0) return undefined;
  switch (type) {
    case "":
    case "application/json":
      return parseJson(body, decoding);
    case "application/yaml":
      return parseYaml(body, decoding);
    case "application/vnd.kubernetes.protobuf":
      return faultless(decodeProtobuf(body));
    default:
      throw unsupportedMediaType(["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]);
  }
}

export async function readPatch(
  request: IncomingMessage,
  decoding: Decoding,
  isCustom: boolean,
): Promise<{ type: PatchType; body: unknown }> {
  const patchType = patchTypes[mediaType(request)];
  const served = Object.keys(patchTypes).filter((type) => !isCustom || patchTypes[type] !== "strategic");
  if (!patchType || (isCustom && patchType === "strategic")) throw unsupportedMediaType(served);
  const body = await readBody(request);
  if (body.length === 0) throw badRequest("the patch is empty");
  const value = patchType === "apply" ? await parseApply(body, decoding) : parseJson(body, decoding);
  if (patchType === "json" && !Array.isArray(value)) throw badRequest("a JSON patch must be a list of operations");
  if (patchType !== "json" && !isRecord(value)) throw badRequest("the patch must be an object");
  return { type: patchType, body: value };
}

const mediaType = (request: IncomingMessage): string =>
  (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";

/** JSON is YAML, and parses much faster as what it is. */
const parseApply = (body: Buffer, decoding: Decoding): Promise<unknown> | unknown =>
  body[0] === 0x7b ? parseJson(body, decoding) : parseYaml(body, decoding);

function parseJson(body: Buffer, { fieldValidation, warn }: Decoding): unknown {
  const text = body.toString("utf8");
  const { repeated, fault } = scanJson(text);
  if (fault) throw badRequest(fault);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body of the request is not valid JSON: ${(error as SyntaxError).message}`);
  }
  if (repeated.length > 0 && fieldValidation === "Strict")
    throw badRequest(`strict decoding error: ${repeated.map((path) => `duplicate field "${path}"`).join(", ")}`);
  if (fieldValidation === "Warn") for (const path of repeated) warn(`duplicate field "${path}"`);
  return value;
}

async function parseYaml(body: Buffer, { fieldValidation }: Decoding): Promise<unknown> {
  const { parseDocument } = await import("yaml");
  const document = parseDocument(body.toString("utf8"), { uniqueKeys: fieldValidation === "Strict" });
  const [error] = document.errors;
  if (error) throw badRequest(`the body of the request is not valid YAML: ${error.message}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw badRequest(`the body of the request is not valid YAML: ${(cause as Error).message}`);
  }
  return faultless(value);
}

function faultless(value: unknown): unknown {
  const fault = faultIn(value);
  if (fault) throw badRequest(fault);
  return value;
}
