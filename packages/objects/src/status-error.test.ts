import { expect, test } from "vitest";
import { duplicate, forbiddenField, invalidValue, notSupported, required, tooLong, tooMany } from "./field-errors.ts";
import { Deployments, Pods } from "./generated/resources.ts";
import {
  alreadyExists,
  conflict,
  expired,
  forbidden,
  internalError,
  invalid,
  isAlreadyExists,
  isConflict,
  isExpired,
  isInvalid,
  isNotFound,
  methodNotAllowed,
  notFound,
  type StatusError,
  statusErrorFrom,
  timeout,
  tooManyRequests,
} from "./status-error.ts";

const cases: readonly [name: string, error: StatusError, code: number, reason: string, message: string][] = [
  ["not found", notFound(Pods, "x"), 404, "NotFound", 'pods "x" not found'],
  ["not found in a group", notFound(Deployments, "x"), 404, "NotFound", 'deployments.apps "x" not found'],
  ["already exists", alreadyExists(Pods, "x"), 409, "AlreadyExists", 'pods "x" already exists'],
  [
    "conflict",
    conflict(Pods, "x", "the object has been modified"),
    409,
    "Conflict",
    'Operation cannot be fulfilled on pods "x": the object has been modified',
  ],
  ["forbidden", forbidden(Pods, "x", "no"), 403, "Forbidden", 'pods "x" is forbidden: no'],
  ["forbidden collection", forbidden(Pods, "", "no"), 403, "Forbidden", "pods is forbidden: no"],
  ["forbidden path", forbidden(undefined, "", "no"), 403, "Forbidden", "forbidden: no"],
  ["expired", expired("too old"), 410, "Expired", "too old"],
  ["timeout", timeout("slow"), 504, "Timeout", "Timeout: slow"],
  ["internal", internalError("x"), 500, "InternalError", "Internal error occurred: x"],
  [
    "method",
    methodNotAllowed(Deployments, "patch"),
    405,
    "MethodNotAllowed",
    'patch is not supported on resources of kind "deployments.apps"',
  ],
  [
    "one mistake",
    invalid(Pods, "x", [required("spec.containers")]),
    422,
    "Invalid",
    'Pod "x" is invalid: spec.containers: Required value',
  ],
  [
    "two mistakes, one of them twice",
    invalid(Deployments, "x", [required("a"), required("a"), invalidValue("b", -1, "must be positive")]),
    422,
    "Invalid",
    'Deployment.apps "x" is invalid: [a: Required value, b: Invalid value: -1: must be positive]',
  ],
];

for (const [name, error, code, reason, message] of cases) {
  test(name, () => expect([error.code, error.reason, error.message]).toEqual([code, reason, message]));
}

test("says which resource and which fields", () => {
  const { details } = invalid(Deployments, "x", [required("spec.selector")]).status;
  expect(details).toEqual({
    name: "x",
    group: "apps",
    kind: "Deployment",
    causes: [{ reason: "FieldValueRequired", message: "Required value", field: "spec.selector" }],
  });
});

test("asks for patience in seconds", () => {
  expect(tooManyRequests("busy", 3).status.details).toEqual({ retryAfterSeconds: 3 });
});

test("recognises errors by reason", () => {
  expect(isNotFound(notFound(Pods, "x"))).toBe(true);
  expect(isConflict(conflict(Pods, "x", ""))).toBe(true);
  expect(isConflict(alreadyExists(Pods, "x"))).toBe(false);
  expect(isAlreadyExists(alreadyExists(Pods, "x"))).toBe(true);
  expect(isExpired(expired(""))).toBe(true);
  expect(isInvalid(invalid(Pods, "x", []))).toBe(true);
  expect(isNotFound(new Error("not found"))).toBe(false);
});

test("recognises an unknown reason by its code", () => {
  expect(isNotFound(statusErrorFrom({ code: 404, reason: "Lost" }))).toBe(true);
  expect(isNotFound(statusErrorFrom({ code: 404, reason: "Expired" }))).toBe(false);
});

const fields: readonly [string, string][] = [
  [required("a", "why").message, "Required value: why"],
  [invalidValue("a", "x<y", "no").message, 'Invalid value: "x<y": no'],
  [invalidValue("a", { b: "<" }, "no").message, 'Invalid value: {"b":"\\u003c"}: no'],
  [duplicate("a", "x").message, 'Duplicate value: "x"'],
  [forbiddenField("a", "no").message, "Forbidden: no"],
  [notSupported("a", "x", ["y", "z"]).message, 'Unsupported value: "x": supported values: "y", "z"'],
  [tooLong("a", 63).message, "Too long: may not be more than 63 bytes"],
  [tooMany("a", 3, 1).message, "Too many: 3: must have at most 1 item"],
];
for (const [message, expected] of fields) test(expected, () => expect(message).toBe(expected));
