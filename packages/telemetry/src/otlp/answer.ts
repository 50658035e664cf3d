/** What senders are told: OTLP's partial success, and google.rpc.Status for what was refused. */
import { MalformedError, type Signal, type Taken } from "../sink.ts";
import { decode, encode } from "./codec.ts";
import { define, messageNamed } from "./schema.ts";

const responses: Readonly<Record<Signal, { readonly name: string; readonly rejected: string }>> = {
  traces: { name: "ExportTraceServiceResponse", rejected: "rejectedSpans" },
  metrics: { name: "ExportMetricsServiceResponse", rejected: "rejectedDataPoints" },
  logs: { name: "ExportLogsServiceResponse", rejected: "rejectedLogRecords" },
};

/** As JSON has it: an empty object where all was taken. */
export function responseTo(signal: Signal, { rejected, message }: Taken): object {
  if (rejected === 0 && message === undefined) return {};
  return { partialSuccess: { [responses[signal].rejected]: String(rejected), errorMessage: message ?? "" } };
}

export const encodeResponse = (signal: Signal, response: object): Uint8Array =>
  encode(messageNamed(responses[signal].name), response);

/** What a response, as protobuf, says of records that were not taken. One that cannot be read says nothing. */
export function rejectedOf(signal: Signal, response: Uint8Array): { rejected: number; message: string } {
  try {
    const message = messageNamed(responses[signal].name);
    const { partialSuccess = {} } = decode<{ partialSuccess?: Record<string, string> }>(message, response);
    const { [responses[signal].rejected]: rejected, errorMessage = "" } = partialSuccess;
    return { rejected: Number(rejected ?? 0), message: errorMessage };
  } catch (error) {
    // Some endpoints answer with a text of their own; that they took it is what counts.
    if (error instanceof MalformedError) return { rejected: 0, message: "" };
    throw error;
  }
}

/** Source: google.golang.org/grpc/codes. */
export const codes = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  permissionDenied: 7,
} as const;

/** Source: googleapis google/rpc/status.proto, google/rpc/error_details.proto, protobuf's any.proto and duration.proto. */
const any = define("Any", [
  [1, "typeUrl", "string", ""],
  [2, "value", "bytes", ""],
]);
const status = define("RpcStatus", [
  [1, "code", "int32", ""],
  [2, "message", "string", ""],
  [3, "details", any.name, "repeated"],
]);
const duration = define("Duration", [
  [1, "seconds", "int64", ""],
  [2, "nanos", "int32", ""],
]);
const retryInfo = define("RetryInfo", [[1, "retryDelay", duration.name, ""]]);

/** `retryAfter` in milliseconds becomes a RetryInfo. */
export function encodeStatus(code: number, message: string, retryAfter?: number): Uint8Array {
  const details =
    retryAfter === undefined ? [] : [{ typeUrl: "type.googleapis.com/google.rpc.RetryInfo", value: after(retryAfter) }];
  return encode(status, { code, message, details });
}

/** What a refusal says, as google.rpc.Status or as text of its own; empty when it says nothing that can be shown. */
export function messageOfStatus(body: Uint8Array): string {
  const shown = statusMessage(body) ?? Buffer.from(body).toString("utf8");
  return /^[^\p{C}]+$/u.test(shown.trim()) ? shown.trim().slice(0, 200) : "";
}

function statusMessage(body: Uint8Array): string | undefined {
  try {
    return decode<{ message?: string }>(status, body).message;
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

function after(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const nanos = Math.round((milliseconds - seconds * 1000) * 1e6);
  return Buffer.from(encode(retryInfo, { retryDelay: { seconds: String(seconds), nanos } })).toString("base64");
}
