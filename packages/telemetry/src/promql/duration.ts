/** Durations as Prometheus writes them: "1h30m". Source: prometheus/common model/time.go. */

const second = 1000;
const units = [
  ["y", 365 * 86_400 * second],
  ["w", 7 * 86_400 * second],
  ["d", 86_400 * second],
  ["h", 3600 * second],
  ["m", 60 * second],
  ["s", second],
  ["ms", 1],
] as const;
const pattern = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
/** Of a signed 64-bit number of nanoseconds. */
const longest = 9_223_372_036_854;

/** Milliseconds, or what is wrong with the text. */
export function parseDuration(text: string): number | string {
  if (text === "0") return 0;
  if (text === "") return "empty duration string";
  const found = pattern.exec(text);
  if (!found) return `not a valid duration string: ${JSON.stringify(text)}`;
  const total = units.reduce((sum, [, length], index) => sum + Number(found[index + 1] ?? 0) * length, 0);
  return total > longest ? "duration out of range" : total;
}

/** Years and weeks only where nothing remains, since 90d reads easier than 12w6d. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return "0s";
  let left = milliseconds;
  let text = "";
  for (const [unit, length] of units) {
    if ((unit === "y" || unit === "w") && left % length !== 0) continue;
    const count = Math.floor(left / length);
    if (count === 0) continue;
    text += `${count}${unit}`;
    left -= count * length;
  }
  return text;
}
