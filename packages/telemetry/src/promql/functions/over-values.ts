/** Functions of instant vectors that look at one value at a time. Source: prometheus 2.42 promql/functions.go. */

/** `args` are the scalars after the vector. Undefined: no result. */
export type ValueFunction = (value: number, args: readonly number[]) => number | undefined;

export const valueFunctions: ReadonlyMap<string, ValueFunction> = new Map(
  Object.entries({
    abs: Math.abs,
    acos: Math.acos,
    acosh: Math.acosh,
    asin: Math.asin,
    asinh: Math.asinh,
    atan: Math.atan,
    atanh: Math.atanh,
    ceil: Math.ceil,
    cos: Math.cos,
    cosh: Math.cosh,
    exp: Math.exp,
    floor: Math.floor,
    ln: Math.log,
    log10: Math.log10,
    log2: Math.log2,
    sin: Math.sin,
    sinh: Math.sinh,
    sqrt: Math.sqrt,
    tan: Math.tan,
    tanh: Math.tanh,
    deg: (value) => (value * 180) / Math.PI,
    rad: (value) => (value * Math.PI) / 180,
    sgn: (value) => (value < 0 ? -1 : value > 0 ? 1 : value),
    clamp: (value, [min = 0, max = 0]) => (max < min ? undefined : most(min, least(max, value))),
    clamp_max: (value, [max = 0]) => least(max, value),
    clamp_min: (value, [min = 0]) => most(min, value),
    round: (value, [nearest = 1]) => {
      // Multiplying by the inverse loses less.
      const inverse = 1 / nearest;
      return Math.floor(value * inverse + 0.5) / inverse;
    },
    day_of_month: dated((date) => date.getUTCDate()),
    day_of_week: dated((date) => date.getUTCDay()),
    day_of_year: dated((date) => 1 + Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0)) / 86_400_000)),
    days_in_month: dated((date) => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()),
    hour: dated((date) => date.getUTCHours()),
    minute: dated((date) => date.getUTCMinutes()),
    month: dated((date) => date.getUTCMonth() + 1),
    year: dated((date) => date.getUTCFullYear()),
  } satisfies Record<string, ValueFunction>),
);

// Go's Max and Min: an infinity wins over NaN.
const most = (a: number, b: number): number => (a === Infinity || b === Infinity ? Infinity : Math.max(a, b));
const least = (a: number, b: number): number => (a === -Infinity || b === -Infinity ? -Infinity : Math.min(a, b));

/** Of seconds since the epoch, in UTC. */
function dated(part: (date: Date) => number): ValueFunction {
  return (seconds) => part(new Date(Math.trunc(seconds) * 1000));
}
