/**
 * When a CronJob runs, as its `spec.schedule` says. Reading only: reckoning with calendars and time zones is its controller's.
 *
 * Source of grammar and messages: github.com/robfig/cron/v3 parser.go, which Kubernetes reads schedules with.
 */
import { parseDuration } from "./duration.ts";

/** At fixed intervals ("@every 90m"), or whenever all fields of a calendar hold. */
export type Schedule = { readonly every: number } | Calendar;

/** Each field: the values that it allows, or "*" for any. Where both `days` and `weekdays` are lists, one that holds is enough. */
export interface Calendar {
  readonly minutes: Field;
  readonly hours: Field;
  readonly days: Field;
  readonly months: Field;
  /** 0 is Sunday. */
  readonly weekdays: Field;
  /** From "TZ=" or "CRON_TZ=" before the fields. */
  readonly timeZone?: string;
}

export type Field = "*" | readonly number[];

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const minutes: Bounds = { min: 0, max: 59 };
const hours: Bounds = { min: 0, max: 23 };
const days: Bounds = { min: 1, max: 31 };
const months: Bounds = { min: 1, max: 12, names: monthNames };
const weekdays: Bounds = { min: 0, max: 6, names: dayNames };

const descriptors: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

const goDuration = /^[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$/;

/** Throws an Error with Kubernetes' message for a text that is no schedule. */
export function parseSchedule(text: string): Schedule {
  const [, timeZone, spec = ""] = /^(?:(?:CRON_)?TZ=(\S+)\s+)?(.*)$/s.exec(text.trim()) ?? [];
  const every = /^@every (.*)$/.exec(spec)?.[1];
  if (every !== undefined) return { every: interval(spec, every) };
  const standard = spec.startsWith("@") ? descriptors[spec] : spec;
  if (standard === undefined) throw new Error(`unrecognized descriptor: ${spec}`);
  const parts = standard.split(/\s+/).filter(Boolean);
  if (parts.length !== 5) throw new Error(`expected exactly 5 fields, found ${parts.length}: [${parts.join(" ")}]`);
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = parts;
  return {
    minutes: field(minute, minutes),
    hours: field(hour, hours),
    days: field(day, days),
    months: field(month, months),
    weekdays: field(weekday, weekdays),
    ...(timeZone && { timeZone }),
  };
}

/** Whole seconds, at least one; in ms. */
function interval(spec: string, text: string): number {
  if (!goDuration.test(text))
    throw new Error(`failed to parse duration ${spec}: time: invalid duration ${JSON.stringify(text)}`);
  return Math.max(1000, Math.floor(parseDuration(text) / 1000) * 1000);
}

function field(text: string, bounds: Bounds): Field {
  const values = new Set<number>();
  let any = false;
  for (const expression of text.split(",").filter(Boolean)) {
    const range = rangeOf(expression, bounds);
    any ||= range.any;
    for (let value = range.first; value <= range.last; value += range.step) values.add(value);
  }
  return any ? "*" : [...values].sort((a, b) => a - b);
}

function rangeOf(expression: string, { min, max, names }: Bounds) {
  const [range = "", by, ...more] = expression.split("/");
  const [low = "", high, ...rest] = range.split("-");
  const any = low === "*" || low === "?";
  let [first, last] = [min, max];
  if (!any) {
    first = number(low, names);
    last = high === undefined ? first : number(high, names);
    if (rest.length > 0) throw new Error(`too many hyphens: ${expression}`);
  }
  if (more.length > 0) throw new Error(`too many slashes: ${expression}`);
  const step = by === undefined ? 1 : number(by);
  // "5/15" means from 5 on.
  if (by !== undefined && high === undefined) last = max;
  if (first < min) throw new Error(`beginning of range (${first}) below minimum (${min}): ${expression}`);
  if (last > max) throw new Error(`end of range (${last}) above maximum (${max}): ${expression}`);
  if (first > last) throw new Error(`beginning of range (${first}) beyond end of range (${last}): ${expression}`);
  if (step === 0) throw new Error(`step of range should be a positive number: ${expression}`);
  return { first, last, step, any: any && step === 1 };
}

function number(text: string, names: readonly string[] = []): number {
  const index = names.indexOf(text.toLowerCase());
  // Of the two kinds that have names, months count from 1.
  if (index >= 0) return names === monthNames ? index + 1 : index;
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** Whether the system knows the time zone: a name of the IANA database. */
export function isTimeZone(name: string): boolean {
  try {
    Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    // A RangeError is the answer.
    return false;
  }
}
