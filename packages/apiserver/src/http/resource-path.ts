/** Reads what a URL's path addresses. Source: apiserver pkg/endpoints/request/requestinfo.go. */
import { badRequest } from "@flotilla/objects";

export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  /** What follows the subresource, still percent-encoded, with its leading slash; "" when nothing does. */
  readonly rest: string;
}

/** Undefined for what is not below a group and version: discovery, health, OpenAPI. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const raw = path.slice(1).split("/");
  const skipped = raw[0] === "api" ? 2 : raw[0] === "apis" ? 3 : undefined;
  if (skipped === undefined || raw.length <= skipped || raw[skipped] === "") return undefined;
  const version = decode(raw[skipped - 1] ?? "");
  const group = skipped === 3 ? decode(raw[1] ?? "") : "";
  const segments = raw.slice(skipped);
  if (segments.at(-1) === "" && segments.length < 5) segments.pop();

  // "namespaces/x" is the object x; "namespaces/x/pods" are pods in x; "namespaces/x/status" and "finalize" are parts of x.
  const isScoped =
    segments[0] === "namespaces" && segments.length > 2 && segments[2] !== "status" && segments[2] !== "finalize";
  const namespace = isScoped ? decode(segments[1] ?? "") : undefined;
  if (namespace === "") throw badRequest("the namespace in the URL is empty");
  const [plural, name, subresource, ...rest] = isScoped ? segments.slice(2) : segments;
  return {
    group,
    version,
    plural: decode(plural ?? ""),
    namespace,
    name: name === undefined ? undefined : decode(name),
    subresource: subresource === undefined ? undefined : decode(subresource),
    rest: rest.length > 0 ? `/${rest.join("/")}` : "",
  };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badRequest(`the URL is malformed: ${JSON.stringify(segment)} is not percent-encoded correctly`);
  }
}
