/** The words and numbers that log libraries have for how grave a record is, as OTLP's severity numbers. */

/**
 * Lower case. Source: opentelemetry specification, logs data model, appendix B (mappings), and the level lists of log4j,
 * java.util.logging, Python's logging, pino, winston (npm and syslog levels), zap, klog, Rust's tracing, .NET, PostgreSQL.
 */
const words: Readonly<Record<string, number>> = {
  trace: 1,
  verbose: 1,
  silly: 1,
  finest: 1,
  trce: 1,
  finer: 2,
  debug: 5,
  dbug: 5,
  dbg: 5,
  fine: 5,
  config: 7,
  info: 9,
  information: 9,
  informational: 9,
  inf: 9,
  http: 9,
  log: 9,
  notice: 10,
  success: 10,
  warn: 13,
  warning: 13,
  wrn: 13,
  error: 17,
  err: 17,
  eror: 17,
  fail: 17,
  severe: 17,
  dpanic: 18,
  critical: 18,
  crit: 18,
  alert: 19,
  panic: 21,
  fatal: 21,
  ftl: 21,
  emerg: 21,
  emergency: 21,
};

const letters: Readonly<Record<string, number>> = { T: 1, V: 1, D: 5, I: 9, N: 10, W: 13, E: 17, C: 18, F: 21 };

export function severityOfWord(word: string): number | undefined {
  const lower = word.toLowerCase();
  return Object.hasOwn(words, lower) ? words[lower] : undefined;
}

/** klog's, glog's and Android's first letters. */
export const severityOfLetter = (letter: string): number | undefined => letters[letter];

/**
 * pino and bunyan: 10 trace to 60 fatal. Python's levelno is the same scale, its critical 50. Undefined: not of this scale
 * (syslog's and .NET's numbers mean other things and come with words).
 */
export function severityOfNumber(level: number): number | undefined {
  if (!(level >= 10 && level <= 60)) return undefined;
  return 1 + 4 * Math.min(5, Math.floor(level / 10) - 1);
}

/** OTLP's short name, as records carry it that had a number only. */
export const severityName = (severity: number): string | undefined =>
  ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"][Math.ceil(severity / 4) - 1];
