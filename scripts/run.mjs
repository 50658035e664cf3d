// node scripts/run.mjs FILE [ARG ...]: runs a TypeScript file of the project on the project's own Node.js.
import { exec, install } from "./node.mjs";

install();
exec(process.argv.slice(2));
