/**
 * Whether a CronJob's schedule can be read.
 *
 * Source of grammar and messages: github.com/robfig/cron/v3 parser.go
 */

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const fields: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: days },
];
const descriptors = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
const duration = /^[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$/;

/** What is wrong with it; undefined: nothing. */
export function scheduleMistake(schedule: string): string | undefined {
  const text = schedule.replace(/^(TZ|CRON_TZ)=\S+\s+/, "").trim();
  if (text.startsWith("@")) {
    if (descriptors.includes(text)) return undefined;
    const every = /^@every (.*)$/.exec(text)?.[1];
    if (every === undefined) return `unrecognized descriptor: ${text}`;
    return duration.test(every)
      ? undefined
      : `failed to parse duration ${text}: time: invalid duration ${JSON.stringify(every)}`;
  }
  const parts = text.split(/\s+/).filter(Boolean);
  if (parts.length !== fields.length)
    return `expected exactly ${fields.length} fields, found ${parts.length}: [${parts.join(" ")}]`;
  for (const [i, bounds] of fields.entries())
    for (const expression of (parts[i] ?? "").split(",")) {
      const wrong = expression && rangeMistake(expression, bounds);
      if (wrong) return wrong;
    }
  return undefined;
}

function rangeMistake(expression: string, { min, max, names }: Bounds): string | undefined {
  const [range = "", step, ...more] = expression.split("/");
  const [low = "", high, ...rest] = range.split("-");
  const number = (text: string): number | undefined => {
    const index = names?.indexOf(text.toLowerCase()) ?? -1;
    if (index >= 0) return index + min;
    return /^\d+$/.test(text) ? Number(text) : undefined;
  };
  const unreadable = (text: string) =>
    `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
  let [start, end] = [min, max];
  if (low !== "*" && low !== "?") {
    const first = number(low);
    if (first === undefined) return unreadable(low);
    const last = high === undefined ? first : number(high);
    if (last === undefined) return unreadable(high ?? "");
    if (rest.length > 0) return `too many hyphens: ${expression}`;
    start = first;
    end = high === undefined && step !== undefined ? max : last;
  }
  if (more.length > 0) return `too many slashes: ${expression}`;
  const by = step === undefined ? 1 : number(step);
  if (by === undefined) return unreadable(step ?? "");
  if (start < min) return `beginning of range (${start}) below minimum (${min}): ${expression}`;
  if (end > max) return `end of range (${end}) above maximum (${max}): ${expression}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${expression}`;
  return by === 0 ? `step of range should be a positive number: ${expression}` : undefined;
}
