import { expect, test } from "vitest";
import { isLocalName } from "./local-name.ts";

test.each<[string | undefined, boolean]>([
  ["localhost", true],
  ["LOCALHOST:4318", true],
  ["telemetry.localhost:4318", true],
  ["127.0.0.1", true],
  ["127.0.0.1:9090", true],
  ["[::1]:9090", true],
  ["[::1]", true],
  ["collector:4318", true],
  ["evil.example", false],
  ["localhost.evil.example:9090", false],
  ["127.0.0.1.evil.example", false],
  ["300.1.1.1", false],
  ["", false],
  [undefined, false],
])("%s: %s", (host, expected) => expect(isLocalName(host, ["collector"])).toBe(expected));
