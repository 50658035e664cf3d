// The cases are in testdata/routes.txt, whose head says how they read.
import { readFileSync } from "node:fs";
import type { HTTPRouteMatch } from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { compileRoutes } from "./route-match.ts";
import type { GatewayListener, TableRoute } from "./table.ts";

function parseMatch(text: string): HTTPRouteMatch {
  const words = text.trim().split(/\s+/);
  const type = words[0] === "=" ? "Exact" : words[0] === "~" ? "RegularExpression" : "PathPrefix";
  if (type !== "PathPrefix") words.shift();
  const match: HTTPRouteMatch = { path: { type, value: words.shift() ?? "" }, headers: [], queryParams: [] };
  for (const word of words) {
    const [, name = "", sign, value = ""] = /^([\w-]+)([:~])(.*)$/.exec(word) ?? [];
    const [, parameter, wanted = ""] = /^\?(\w+)=(.*)$/.exec(word) ?? [];
    if (parameter) match.queryParams?.push({ name: parameter, value: wanted });
    else if (sign) match.headers?.push({ type: sign === "~" ? "RegularExpression" : "Exact", name, value });
    else match.method = word as NonNullable<HTTPRouteMatch["method"]>;
  }
  return match;
}

function parseRoute(line: string): { hostname: string; route: TableRoute } {
  const [, hostname = "", name = "", created = "", hosts = "", rules = ""] =
    /^route (?:(\S+) \| )?(\S+) @(\d+): ([^;]*);(.*)$/.exec(line) ?? [];
  if (!name) throw new Error(`not a route: ${line}`);
  const route: TableRoute = {
    route: name,
    created,
    hostnames: hosts.trim() === "any" ? [] : hosts.trim().split(/\s+/),
    rules: rules.split(" ; ").map((text) => {
      const [match = "", cluster = ""] = text.split("->").map((part) => part.trim());
      return {
        matches: [parseMatch(match)],
        filters: [],
        mirrors: [],
        backends: [{ weight: 1, cluster, filters: [], mirrors: [] }],
      };
    }),
  };
  return { hostname, route };
}

const listenersOf = (lines: readonly string[]): GatewayListener[] =>
  [...Map.groupBy(lines.map(parseRoute), ({ hostname }) => hostname)].map(([hostname, routes]) => ({
    namespace: "n",
    gateway: "g",
    name: hostname,
    port: 80,
    hostname,
    routes: routes.map(({ route }) => route),
  }));

const text = readFileSync(new URL("testdata/routes.txt", import.meta.url), "utf8").replace(/^#.*\n/gm, "");

for (const block of text.split(/^case /m).slice(1)) {
  const [name = "", ...rest] = block.trim().split("\n");
  const lines = rest.map((line) => line.trim()).filter(Boolean);
  const routes = compileRoutes(listenersOf(lines.filter((line) => line.startsWith("route "))));
  describe(name, () => {
    test.each(lines.filter((line) => !line.startsWith("route ")))("%s", (line) => {
      const [method = "", url = "", ...words] = line.split(/\s+/);
      const expected = words.pop();
      const headers = Object.fromEntries(words.map((word) => word.split(":")));
      const slash = url.indexOf("/");
      const found = routes({ host: url.slice(0, slash), method, target: url.slice(slash), headers });
      expect(found?.rule.backends[0]?.cluster ?? "-").toBe(expected);
    });
  });
}
