/** Runs in a thread of its own: imports the app's file and hands over what it exports. */
import { registerHooks } from "node:module";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";

const file = workerData as string;

// An app needs no node_modules: "flotilla" is always the one that reads it, and only the little of it that describes an app.
const ours = new URL(`./model/define-app${extname(import.meta.url)}`, import.meta.url).href;
registerHooks({
  resolve(specifier, context, next) {
    if (specifier === "flotilla") return { url: ours, shortCircuit: true };
    const found = next(specifier, context);
    // TypeScript of an app is written as modules, whatever a package.json around it says of its JavaScript.
    const isModule = found.url.endsWith(".ts") && !found.url.includes("/node_modules/");
    return isModule ? { ...found, format: "module-typescript" } : found;
  },
});

/** "flotilla.ts:12:5" of the first frame in the app's own file, for errors that were thrown there. */
function placeOf(error: Error): string {
  const frame = error.stack?.split("\n").find((line) => line.includes(pathToFileURL(file).href) || line.includes(file));
  const place = frame && /:(\d+)(:\d+)?\)?$/.exec(frame.trim());
  return place ? ` (line ${place[1]})` : "";
}

async function read(): Promise<{ app: unknown } | { error: string }> {
  try {
    const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
    if (module.default === undefined) return { error: "it exports no app; write: export default defineApp({ ... })" };
    return { app: await module.default };
  } catch (error) {
    if (!(error instanceof Error)) return { error: String(error) };
    const missing = (error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND";
    const message = error.message.replaceAll(fileURLToPath(pathToFileURL(file)), "it").split("\n")[0] ?? "";
    return { error: `${message}${placeOf(error)}${missing ? "; install it, or correct the import" : ""}` };
  }
}

const answer = await read();
try {
  parentPort?.postMessage(answer);
} catch (error) {
  parentPort?.postMessage({ error: `a model is plain data, and this is not: ${(error as Error).message}` });
}
