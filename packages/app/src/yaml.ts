/** The YAML library, loaded when the first document is read or written: most apps have none, and it is the largest dependency. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export const yaml = (): typeof import("yaml") => require("yaml");
