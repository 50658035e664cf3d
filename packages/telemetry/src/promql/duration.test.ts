import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";

test.each([
  ["1ms", 1],
  ["1h30m", 5_400_000],
  ["1y2w3d4h5m6s7ms", 33_019_506_007],
  ["0", 0],
  ["0s", 0],
])("%s is %i ms", (text, length) => expect(parseDuration(text)).toBe(length));

test.each([
  ["", "empty duration string"],
  ["1", 'not a valid duration string: "1"'],
  ["30m1h", 'not a valid duration string: "30m1h"'],
  ["1.5h", 'not a valid duration string: "1.5h"'],
  ["300y", "duration out of range"],
])("%j: %s", (text, reason) => expect(parseDuration(text)).toBe(reason));

test.each([
  [0, "0s"],
  [1500, "1s500ms"],
  [5_400_000, "1h30m"],
  [7 * 86_400_000, "1w"],
  [90 * 86_400_000, "90d"],
  [365 * 86_400_000, "1y"],
])("%i ms are %s", (length, text) => expect(formatDuration(length)).toBe(text));
