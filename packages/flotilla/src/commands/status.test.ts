import { expect, test } from "vitest";
import { type PartStatus, table } from "./status.ts";

const parts: PartStatus[] = [
  {
    name: "web",
    state: "ready",
    ready: 2,
    desired: 2,
    version: "abc",
    restarts: 1,
    cpu: 12,
    memory: 52_428_800,
    address: "127.96.0.9:3000",
    runtime: "process",
  },
  { name: "db-migrate", state: "failing", restarts: 0, message: "it exited with code 1\nand more" },
];

test("a row for each part; what is not known is a dash; the first line of a reason", () =>
  expect(table(parts, (_, text) => text)).toEqual([
    "SERVICE     STATE    READY  VERSION  RESTARTS  CPU  MEMORY  ADDRESS          RUNTIME",
    "web         ready    2/2    abc      1         12m  50Mi    127.96.0.9:3000  process",
    "db-migrate  failing  -      -        0         -    -       -                -        it exited with code 1",
  ]));
