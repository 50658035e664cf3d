/** The Status that an answer from 400 on stands for, also where the answer says nothing of use (a proxy's page). */
import type { Status } from "@flotilla/objects";

/** Source: apimachinery pkg/api/errors NewGenericServerResponse. */
const generic: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  400: ["BadRequest", "the server rejected our request for an unknown reason"],
  401: ["Unauthorized", "the server has asked for the client to provide credentials"],
  403: ["Forbidden", "access is forbidden"],
  404: ["NotFound", "the server could not find the requested resource"],
  405: ["MethodNotAllowed", "the server does not allow this method on the requested resource"],
  409: ["Conflict", "the server reported a conflict"],
  410: ["Gone", "the requested resource is gone"],
  413: ["RequestEntityTooLarge", "the request is too large"],
  415: ["UnsupportedMediaType", "the body of the request was in an unknown format"],
  422: ["Invalid", "the server rejected our request due to an error in our request"],
  429: ["TooManyRequests", "the server has received too many requests and has asked us to try again later"],
  500: ["InternalError", "an error on the server has prevented the request from succeeding"],
  503: ["ServiceUnavailable", "the server is currently unable to handle the request"],
  504: ["Timeout", "the server was unable to return a response in the time allotted"],
};

export function statusOfAnswer(code: number, body: string, method: string, path: string): Status {
  const stated = parse(body);
  if (stated?.kind === "Status" && stated.message !== undefined) return { ...stated, code: stated.code ?? code };
  const [reason, message] = generic[code] ?? ["Unknown", `the server answered with status ${code}`];
  const said = stated ? "" : body.trim().slice(0, 500);
  return {
    apiVersion: "v1",
    kind: "Status",
    metadata: {},
    status: "Failure",
    code,
    reason,
    message: `${message} (${method} ${path.replace(/\?.*/, "")})${said ? `: ${said}` : ""}`,
  };
}

function parse(body: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    // Not JSON: a proxy's page, or plain text.
    return undefined;
  }
}
