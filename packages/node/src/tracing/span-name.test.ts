import { describe, expect, test } from "vitest";
import { SpanNames } from "./span-name.ts";

describe("what changes is taken out of the name", () => {
  const cases = [
    ["/", "GET /"],
    ["/orders", "GET /orders"],
    ["/v1/orders", "GET /v1/orders"],
    ["/orders/7", "GET /orders/{id}"],
    ["/orders/151ae84f-c44a-405e-9251-1e8bd7143a43/lines", "GET /orders/{id}/lines"],
    ["/orders/507f1f77bcf86cd799439011", "GET /orders/{id}"],
    ["/orders/ORD-2026-11", "GET /orders/{id}"],
    ["/users/ann%20lee", "GET /users/{id}"],
    ["/facade/decade", "GET /facade/decade"],
    ["/orders?page=2", "GET /orders"],
    [`/${"x".repeat(50)}`, "GET /{id}"],
    ["/a/b/c/d/e/f/g/h", "GET"],
    ["*", "GET {id}"],
  ] as const;
  test.each(cases)("%s", (path, name) => expect(new SpanNames().of("GET", path)).toBe(name));
});
test("a method that is none has no name of its own", () => expect(new SpanNames().of("_OTHER", "/a")).toBe("HTTP /a"));
test("after a hundred names there are no new ones", () => {
  const names = new SpanNames();
  const given = Array.from({ length: 676 }, (_, at) =>
    names.of("GET", `/${String.fromCharCode(97 + at / 26, 97 + (at % 26))}`),
  );
  expect(new Set(given).size).toBe(101);
  expect(names.of("GET", "/aa")).toBe("GET /aa");
});
