import { expect, test } from "vitest";
import {
  configMapKey,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  envVarName,
  labelValue,
  portName,
  portNumber,
  qualifiedName,
  wildcardDns1123Subdomain,
} from "./names.ts";

const valid: readonly [(value: string) => string[], readonly string[]][] = [
  [dns1123Label, ["a", "0", "a-b", "x".repeat(63)]],
  [dns1123Subdomain, ["a", "a.b", "a-1.b"]],
  [dns1035Label, ["a", "a-1"]],
  [qualifiedName, ["a", "A.b_c", "example.com/a"]],
  [labelValue, ["", "A", "a.b_c-d"]],
  [envVarName, ["A", "a.b", "1x", "A B"]],
  [configMapKey, ["a", ".hidden", "A_b-c.json"]],
  [portName, ["http", "a-1", "1a"]],
  [wildcardDns1123Subdomain, ["*.example.com"]],
];
for (const [check, values] of valid) {
  for (const value of values) test(`${check.name} accepts ${value}`, () => expect(check(value)).toEqual([]));
}

const refused: readonly [(value: string) => string[], string, string][] = [
  [
    dns1123Label,
    "A",
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ],
  [dns1123Label, "a.b", "must not contain dots"],
  [dns1123Label, "x".repeat(64), "must be no more than 63 characters"],
  [dns1123Subdomain, "a..b", "a lowercase RFC 1123 subdomain must consist of"],
  [dns1123Subdomain, "a\n", "a lowercase RFC 1123 subdomain must consist of"],
  [dns1035Label, "1a", "a DNS-1035 label must consist of"],
  [qualifiedName, "", "name part must be non-empty"],
  [qualifiedName, "/a", "prefix part must be non-empty"],
  [qualifiedName, "A/a", "prefix part a lowercase RFC 1123 subdomain"],
  [qualifiedName, "a/b/c", "a qualified name must consist of"],
  [labelValue, "-", "a valid label must be an empty string or consist of"],
  [envVarName, "a=b", "a valid environment variable name must consist only of printable ASCII"],
  [envVarName, "", "environment variable name must be non-empty"],
  [configMapKey, "..", "must not be '..'"],
  [configMapKey, "..a", "must not start with '..'"],
  [configMapKey, "a/b", "a valid config key must consist of"],
  [portName, "1", "must contain at least one letter (a-z)"],
  [portName, "a--b", "must not contain consecutive hyphens"],
  [portName, "-a", "must not begin or end with a hyphen"],
  [portName, "a".repeat(16), "must be no more than 15 characters"],
];
for (const [check, value, message] of refused) {
  test(`${check.name} refuses ${JSON.stringify(value)}`, () => expect(check(value).join("; ")).toContain(message));
}

test("ports are 1 to 65535", () => {
  expect([0, 1, 65535, 65536, 1.5].map((port) => portNumber(port).length)).toEqual([1, 0, 0, 1, 1]);
});
