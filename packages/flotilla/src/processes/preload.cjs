/*
 * Loaded before every process of ours. Node.js looks for each of hundreds of modules as if it could be anything anywhere, which
 * is a third of a start. Ours say what they import exactly: a file beside them, by its whole name, or a package of this repository.
 */
"use strict";
const { registerHooks } = require("node:module");
const { resolve } = require("node:path");
const { pathToFileURL } = require("node:url");
require("@flotilla/node/lazy-http");

/** Where all packages are. */
const ours = pathToFileURL(`${resolve(__dirname, "../../..")}/`).href;
const packages = new Map();

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL = "" } = context;
    if (!parentURL.startsWith(ours) || parentURL.includes("/node_modules/")) return next(specifier, context);
    if (specifier.startsWith(".") && specifier.endsWith(".ts"))
      return { url: new URL(specifier, parentURL).href, format: "module-typescript", shortCircuit: true };
    if (!specifier.startsWith("@flotilla/")) return next(specifier, context);
    const found = packages.get(specifier) ?? { ...next(specifier, context), shortCircuit: true };
    packages.set(specifier, found);
    return found;
  },
});
