/*
 * An `import` of "node:http" reads every export of it. Three of them load a whole HTTP client (undici, with HTTP/2, zlib and
 * web streams) when they are read: 15 MB and 60 ms that a server never uses. Here they are stand-ins, which load it when they are used.
 */
"use strict";
const http = require("node:http");

/** What a proxy for a class must stand before. */
function constructible() {}

for (const name of ["WebSocket", "CloseEvent", "MessageEvent"]) {
  const described = Object.getOwnPropertyDescriptor(http, name);
  if (!described?.get || !described.configurable) continue;
  const real = () => described.get.call(http);
  const standIn = new Proxy(constructible, {
    construct: (_, args, target) => Reflect.construct(real(), args, target === standIn ? real() : target),
    apply: (_, self, args) => Reflect.apply(real(), self, args),
    get: (_, key) => Reflect.get(real(), key),
    set: (_, key, value) => Reflect.set(real(), key, value),
    has: (_, key) => Reflect.has(real(), key),
    getPrototypeOf: () => Reflect.getPrototypeOf(real()),
  });
  Object.defineProperty(http, name, { ...described, get: () => standIn });
}
