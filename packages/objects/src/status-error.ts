/**
 * The one error of an API, from the store to a client's terminal: a Status with code, reason and message.
 *
 * Source of codes, reasons and messages: apimachinery pkg/api/errors.
 */
import type { FieldError } from "./field-errors.ts";
import type { Status, StatusDetails } from "./generated/types.ts";
import { type Resource, resourceName } from "./resource.ts";

export class StatusError extends Error {
  readonly status: Status;

  constructor(status: Status) {
    super(status.message ?? "");
    this.name = "StatusError";
    this.status = status;
  }

  /** HTTP status code. */
  get code(): number {
    return this.status.code ?? 500;
  }

  /** One word for programs: "NotFound", "Conflict", ...; "" when the API gave none. */
  get reason(): string {
    return this.status.reason ?? "";
  }
}

/** What a message needs to name a resource; a `Resource` is one. */
type Named = Pick<Resource, "group" | "plural">;

/** One that has no name of its own below. */
export const failure = (
  code: number,
  reason: string | undefined,
  message: string,
  details?: StatusDetails,
): StatusError =>
  new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    details,
    code,
  });

const about = (resource: Named, name?: string, more?: StatusDetails): StatusDetails => ({
  ...(name ? { name } : {}),
  ...(resource.group ? { group: resource.group } : {}),
  kind: resource.plural,
  ...more,
});

const quoted = (text: string): string => JSON.stringify(text);

export const notFound = (resource: Named, name: string): StatusError =>
  failure(404, "NotFound", `${resourceName(resource)} ${quoted(name)} not found`, about(resource, name));

export const alreadyExists = (resource: Named, name: string): StatusError =>
  failure(409, "AlreadyExists", `${resourceName(resource)} ${quoted(name)} already exists`, about(resource, name));

/** Nothing is served at this path. */
export const noSuchPath = (): StatusError =>
  failure(404, "NotFound", "the server could not find the requested resource", {});

/** No free name was found for a `generateName`; the client may try again after `retryAfterSeconds`. */
export const generateNameConflict = (resource: Named, name: string, retryAfterSeconds: number): StatusError =>
  failure(
    409,
    "AlreadyExists",
    `${resourceName(resource)} ${quoted(name)} already exists, the server was not able to generate a unique name for the object`,
    about(resource, name, { retryAfterSeconds }),
  );

/** `message` says why, such as "the object has been modified; please apply your changes to the latest version and try again". */
export const conflict = (resource: Named, name: string, message: string): StatusError =>
  failure(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${resourceName(resource)} ${quoted(name)}: ${message}`,
    about(resource, name),
  );

/** Fields that other managers own; each cause has reason "FieldManagerConflict". */
export const applyConflict = (causes: NonNullable<StatusDetails["causes"]>, message: string): StatusError =>
  failure(409, "Conflict", message, { causes });

/** All mistakes of one object at once. The resource's kind is named, as Kubernetes does: `Deployment.apps "x" is invalid: ...`. */
export function invalid(
  resource: Pick<Resource, "group" | "kind">,
  name: string,
  mistakes: readonly FieldError[],
): StatusError {
  const kind = resource.group ? `${resource.kind}.${resource.group}` : resource.kind;
  const messages = [...new Set(mistakes.map((mistake) => `${mistake.field}: ${mistake.message}`))];
  const summary = messages.length > 1 ? `[${messages.join(", ")}]` : messages[0];
  return failure(422, "Invalid", `${kind} ${quoted(name)} is invalid${summary === undefined ? "" : `: ${summary}`}`, {
    ...(name ? { name } : {}),
    ...(resource.group ? { group: resource.group } : {}),
    kind: resource.kind,
    causes: mistakes.map(({ type, message, field }) => ({ reason: type, message, field })),
  });
}

export const badRequest = (message: string): StatusError => failure(400, "BadRequest", message);

export const unauthorized = (message = "not authorized"): StatusError => failure(401, "Unauthorized", message);

/** Without a resource: `forbidden: why`; without a name: `pods is forbidden: why`. */
export function forbidden(resource: Named | undefined, name: string, why: string): StatusError {
  const subject = resource ? `${resourceName(resource)}${name ? ` ${quoted(name)}` : ""} is forbidden` : "forbidden";
  return failure(403, "Forbidden", `${subject}: ${why}`, resource ? about(resource, name) : {});
}

export const methodNotAllowed = (resource: Named, action: string): StatusError =>
  failure(
    405,
    "MethodNotAllowed",
    `${action} is not supported on resources of kind ${quoted(resourceName(resource))}`,
    about(resource),
  );

/** Source: apiserver pkg/endpoints/handlers/negotiation/errors.go */
export const notAcceptable = (accepted: readonly string[]): StatusError =>
  failure(406, "NotAcceptable", `only the following media types are accepted: ${accepted.join(", ")}`);

/** Source: apiserver pkg/endpoints/handlers/negotiation/errors.go */
export const unsupportedMediaType = (accepted: readonly string[]): StatusError =>
  failure(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  );

/** A resourceVersion or a continue token that is too old; clients list again. */
export const expired = (message: string): StatusError => failure(410, "Expired", message);

export const gone = (message: string): StatusError => failure(410, "Gone", message);

export const requestEntityTooLarge = (message: string): StatusError =>
  failure(413, "RequestEntityTooLarge", `Request entity too large: ${message}`);

export const tooManyRequests = (message: string, retryAfterSeconds: number): StatusError =>
  failure(429, "TooManyRequests", message, { retryAfterSeconds });

/** What happened inside is for the log; clients get this message only. */
export const internalError = (message: string): StatusError =>
  failure(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });

export const serviceUnavailable = (message: string): StatusError => failure(503, "ServiceUnavailable", message);

/** The request may still be carried out. */
export const timeout = (message: string, retryAfterSeconds = 0): StatusError =>
  failure(504, "Timeout", `Timeout: ${message}`, retryAfterSeconds ? { retryAfterSeconds } : {});

/** The error that a Status in an answer stands for. */
export const statusErrorFrom = (status: Status): StatusError => new StatusError(status);

const knownReasons = new Set(
  (
    "Unauthorized Forbidden NotFound AlreadyExists Conflict Gone Invalid ServerTimeout StoreReadError Timeout TooManyRequests " +
    "BadRequest MethodNotAllowed NotAcceptable RequestEntityTooLarge UnsupportedMediaType InternalError Expired ServiceUnavailable"
  ).split(" "),
);

/** The reason decides; the code does where the reason is none that Kubernetes knows. */
const is = (error: unknown, reason: string, code?: number): boolean =>
  error instanceof StatusError &&
  (error.reason === reason || (code !== undefined && !knownReasons.has(error.reason) && error.code === code));

export const isNotFound = (error: unknown): boolean => is(error, "NotFound", 404);
export const isAlreadyExists = (error: unknown): boolean => is(error, "AlreadyExists");
export const isConflict = (error: unknown): boolean => is(error, "Conflict", 409);
export const isInvalid = (error: unknown): boolean => is(error, "Invalid", 422);
export const isExpired = (error: unknown): boolean => is(error, "Expired");
export const isGone = (error: unknown): boolean => is(error, "Gone", 410);
export const isForbidden = (error: unknown): boolean => is(error, "Forbidden", 403);
export const isTooManyRequests = (error: unknown): boolean => is(error, "TooManyRequests", 429);
