import { expect, test } from "vitest";
import { parseSchedule } from "./schedule.ts";

const any = { minutes: "*", hours: "*", days: "*", months: "*", weekdays: "*" };

test.each<[string, object]>([
  ["* * * * *", any],
  ["? ? ? ? ?", any],
  ["*/1 * * * *", any],
  ["*,5 * * * *", any],
  ["*/20 * * * *", { ...any, minutes: [0, 20, 40] }],
  ["5/15 * * * *", { ...any, minutes: [5, 20, 35, 50] }],
  ["0 9-17/4 * * *", { ...any, minutes: [0], hours: [9, 13, 17] }],
  ["0 0 * jan,DEC mon-fri", { ...any, minutes: [0], hours: [0], months: [1, 12], weekdays: [1, 2, 3, 4, 5] }],
  ["@monthly", { ...any, minutes: [0], hours: [0], days: [1] }],
  ["@weekly", { ...any, minutes: [0], hours: [0], weekdays: [0] }],
  ["CRON_TZ=Europe/Berlin 0 3 * * *", { ...any, minutes: [0], hours: [3], timeZone: "Europe/Berlin" }],
  ["@every 1h30m", { every: 5_400_000 }],
  ["@every 1ms", { every: 1000 }],
])("%s", (text, schedule) => expect(parseSchedule(text)).toEqual(schedule));

test.each([
  ["* * * *", "expected exactly 5 fields, found 4: [* * * *]"],
  ["60 * * * *", "end of range (60) above maximum (59): 60"],
  ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
  ["* * * * 7", "end of range (7) above maximum (6): 7"],
  ["9-8 * * * *", "beginning of range (9) beyond end of range (8): 9-8"],
  ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
  ["1/2/3 * * * *", "too many slashes: 1/2/3"],
  ["*/0 * * * *", "step of range should be a positive number: */0"],
  ["x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ["* * * 1/feb *", 'failed to parse int from feb: strconv.Atoi: parsing "feb": invalid syntax'],
  ["@noon", "unrecognized descriptor: @noon"],
  ["@every now", 'failed to parse duration @every now: time: invalid duration "now"'],
])("%s is refused", (text, message) => expect(() => parseSchedule(text)).toThrow(message));
