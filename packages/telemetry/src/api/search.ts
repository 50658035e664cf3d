/** Searches as they come over HTTP, each part looked at once. */
import type { LogSearch, TraceSearch } from "../telemetry.ts";
import { ParameterError } from "./answer.ts";

type Check = (value: unknown) => boolean;

const isNumber: Check = (value) => typeof value === "number" && Number.isFinite(value);
const isText: Check = (value) => typeof value === "string";
const isFlag: Check = (value) => typeof value === "boolean";
const isLabels: Check = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(isText);
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isLimit: Check = (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= mostFound;

/** Of one answer. */
const mostFound = 100_000;

const traceParts: Readonly<Record<keyof TraceSearch, Check>> = {
  from: isNumber,
  to: isNumber,
  service: isText,
  operation: isText,
  minDuration: isNumber,
  maxDuration: isNumber,
  status: (value) => value === "error" || value === "ok" || value === "unset",
  attributes: isLabels,
  limit: isLimit,
};

const logParts: Readonly<Record<keyof LogSearch, Check>> = {
  from: isNumber,
  to: isNumber,
  services: isTexts,
  attributes: isLabels,
  traceId: isText,
  spanId: isText,
  grep: isText,
  ignoreCase: isFlag,
  minSeverity: isNumber,
  event: isText,
  after: isText,
  limit: isLimit,
};

export const readTraceSearch = (body: string): TraceSearch => read(body, traceParts) as TraceSearch;
export const readLogSearch = (body: string): LogSearch => read(body, logParts) as LogSearch;

function read(body: string, parts: Readonly<Record<string, Check>>): object {
  let search: unknown;
  try {
    search = body === "" ? {} : JSON.parse(body);
  } catch (error) {
    throw new ParameterError(`the search is not JSON: ${(error as Error).message}`);
  }
  if (typeof search !== "object" || search === null || Array.isArray(search))
    throw new ParameterError("a search is a JSON object");
  for (const [name, value] of Object.entries(search)) {
    const check = Object.hasOwn(parts, name) ? parts[name] : undefined;
    if (!check) throw new ParameterError(`a search has no part ${name}; it has ${Object.keys(parts).join(", ")}`);
    if (!check(value)) throw new ParameterError(`${name}: ${JSON.stringify(value)} is no such value`);
  }
  return search;
}
