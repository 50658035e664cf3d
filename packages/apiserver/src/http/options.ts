/** Reads query parameters and delete bodies into the options of the registry. */
import type { ListOptions, WatchOptions } from "@flotilla/client";
import {
  badRequest,
  type FieldError,
  forbiddenField,
  invalid,
  isRecord,
  notSupported,
  type StatusError,
} from "@flotilla/objects";
import type { DeleteOptions, RequestContext } from "../registry.ts";
import type { Exchange } from "./serving.ts";

const isTrue = (value: string | null): boolean => value !== null && value !== "0" && value.toLowerCase() !== "false";

export const flag = (query: URLSearchParams, name: string): boolean => isTrue(query.get(name));

/** A whole number of at least 0. */
export function count(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^-?\d+$/.test(text)) throw badRequest(`${name}: ${JSON.stringify(text)} is not a number`);
  const value = Number(text);
  if (value < 0) throw badRequest(`${name}: ${text} is less than 0`);
  return value;
}

const given = (query: URLSearchParams, name: string): string | undefined => query.get(name) || undefined;

export function listOptions(query: URLSearchParams, namespace: string | undefined): ListOptions {
  const match = given(query, "resourceVersionMatch");
  if (match !== undefined && match !== "Exact" && match !== "NotOlderThan")
    throw invalidOptions(notSupported("resourceVersionMatch", match, ["", "Exact", "NotOlderThan"]));
  return {
    namespace,
    labelSelector: given(query, "labelSelector"),
    fieldSelector: given(query, "fieldSelector"),
    limit: count(query, "limit") || undefined,
    continue: given(query, "continue"),
    resourceVersion: given(query, "resourceVersion"),
    resourceVersionMatch: match,
  };
}

// Source: apimachinery pkg/apis/meta/internalversion/validation.
export function watchOptions(query: URLSearchParams, namespace: string | undefined): WatchOptions {
  const sendInitialEvents = query.has("sendInitialEvents") ? flag(query, "sendInitialEvents") : undefined;
  const match = given(query, "resourceVersionMatch");
  if (match !== undefined && sendInitialEvents === undefined)
    throw invalidOptions(
      forbiddenField(
        "resourceVersionMatch",
        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
      ),
    );
  if (sendInitialEvents && match !== "NotOlderThan")
    throw invalidOptions(
      forbiddenField("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
    );
  return {
    namespace,
    labelSelector: given(query, "labelSelector"),
    fieldSelector: given(query, "fieldSelector"),
    resourceVersion: given(query, "resourceVersion"),
    allowWatchBookmarks: flag(query, "allowWatchBookmarks"),
    sendInitialEvents,
    timeoutSeconds: count(query, "timeoutSeconds"),
  };
}

const invalidOptions = (mistake: FieldError): StatusError =>
  invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", [mistake]);

/** Who asks and how: the same for all writes. `more` are the values of a DeleteOptions body. */
export function requestContext(exchange: Exchange, more: { dryRun?: unknown } = {}): RequestContext {
  const { query, request, user, warnings } = exchange;
  const dryRuns = [...query.getAll("dryRun"), ...(Array.isArray(more.dryRun) ? more.dryRun : [])].filter(Boolean);
  const wrong = dryRuns.find((value) => value !== "All");
  if (wrong !== undefined)
    throw badRequest(`dryRun: Unsupported value: ${JSON.stringify(wrong)}: supported values: "All"`);
  const fieldValidation = query.get("fieldValidation") || "Warn";
  if (fieldValidation !== "Strict" && fieldValidation !== "Warn" && fieldValidation !== "Ignore")
    throw badRequest(
      `fieldValidation: Unsupported value: ${JSON.stringify(fieldValidation)}: supported values: "", "Ignore", "Warn", "Strict"`,
    );
  const fieldManager =
    query.get("fieldManager") || (request.headers["user-agent"] ?? "unknown").split("/", 1)[0] || "unknown";
  if (query.has("fieldManager") && (fieldManager.length > 128 || /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(fieldManager)))
    throw badRequest("fieldManager: must be at most 128 printable characters");
  return {
    user,
    fieldManager: fieldManager.slice(0, 128),
    dryRun: dryRuns.length > 0,
    fieldValidation,
    warn: (message) => void warnings.add(message),
  };
}

/** A DeleteOptions body, or the query parameters that say the same. */
export function deleteOptions(query: URLSearchParams, body: unknown): DeleteOptions & { dryRun?: unknown } {
  if (body !== undefined && !isRecord(body)) throw badRequest("the body of a delete must be DeleteOptions");
  const kind = body?.kind;
  if (kind !== undefined && kind !== "DeleteOptions")
    throw badRequest(`the body of a delete must be DeleteOptions, not ${String(kind)}`);
  const orphan =
    body?.orphanDependents ?? (query.has("orphanDependents") ? flag(query, "orphanDependents") : undefined);
  const policy = body?.propagationPolicy ?? given(query, "propagationPolicy");
  if (orphan !== undefined && policy !== undefined)
    throw badRequest("orphanDependents and propagationPolicy may not be set at the same time");
  if (policy !== undefined && policy !== "Background" && policy !== "Foreground" && policy !== "Orphan")
    throw badRequest(
      `propagationPolicy: Unsupported value: ${JSON.stringify(policy)}: supported values: "Background", "Foreground", "Orphan"`,
    );
  const grace = body?.gracePeriodSeconds ?? count(query, "gracePeriodSeconds");
  if (grace !== undefined && (typeof grace !== "number" || !Number.isInteger(grace)))
    throw badRequest("gracePeriodSeconds must be a whole number");
  const preconditions = isRecord(body?.preconditions) ? body.preconditions : {};
  const { uid, resourceVersion } = preconditions;
  return {
    preconditions: {
      uid: typeof uid === "string" ? uid : undefined,
      resourceVersion: typeof resourceVersion === "string" ? resourceVersion : undefined,
    },
    propagationPolicy: policy ?? (orphan === undefined ? undefined : orphan ? "Orphan" : "Background"),
    gracePeriodSeconds: grace,
    dryRun: body?.dryRun,
  };
}
