/** Times as they are typed after --since, and lists of NAME=VALUE. */
import { parseDuration } from "@flotilla/objects";
import { CommandError, exitCodes } from "./errors.ts";

/** Milliseconds of "90s", "5m", "1h30m", "7d". `option` is named in the error. */
export function duration(option: string, text: string): number {
  const days = /^(\d+)d$/.exec(text);
  if (days) return Number(days[1]) * 86_400_000;
  try {
    const value = parseDuration(text);
    if (value > 0) return value;
  } catch {
    // Said below, in the words of the command line.
  }
  throw new CommandError(
    `${option} ${text}: a duration is a number with a unit, such as "500ms", "10s", "5m", "1h30m", "7d"`,
    exitCodes.usage,
  );
}

export function pairs(option: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw new CommandError(`${option} ${text}: NAME=VALUE, such as http.route=/orders`, exitCodes.usage);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
