/*
 * Loaded into Node.js containers by NODE_OPTIONS=--require. All pods of a machine share one network, each with an address
 * of its own: a server that asks for every address, or for localhost, listens on its pod's.
 * Where somebody takes spans, the program's requests are traced.
 */
"use strict";
require("./lazy-http.cjs");
require("./local-address.cjs");
const { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT } = process.env;
if (OTEL_EXPORTER_OTLP_ENDPOINT || OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) require("./generated/tracing.cjs");

// Compiled code is kept for the next start, also when this process is killed; Node.js itself keeps it at an orderly end only.
if (process.env.NODE_COMPILE_CACHE) setTimeout(() => require("node:module").flushCompileCache?.(), 2000).unref();

const host = process.env.HOST;
if (host) {
  const { Server } = require("node:net");
  const listen = Server.prototype.listen;
  const everywhere = new Set([undefined, null, "", "0.0.0.0", "::", "[::]", "localhost"]);
  const isPort = (value) => typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value));
  Server.prototype.listen = function (...args) {
    const first = args[0];
    if (first !== null && typeof first === "object") {
      const { port, host: asked, path, fd, _handle } = first;
      if (isPort(port) && path === undefined && fd === undefined && !_handle && everywhere.has(asked))
        args[0] = { ...first, host, ipv6Only: false };
    } else if (isPort(first)) {
      if (typeof args[1] === "string") {
        if (everywhere.has(args[1])) args[1] = host;
      } else if (args[1] === undefined || args[1] === null) {
        args[1] = host;
      } else {
        args.splice(1, 0, host);
      }
    } else if (first === undefined || first === null || typeof first === "function") {
      args = [0, host, ...args.filter((arg) => typeof arg === "function")];
    }
    return listen.apply(this, args);
  };
}
