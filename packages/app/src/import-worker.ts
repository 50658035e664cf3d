/** Runs in a thread of its own: imports the app's file and hands over what it exports. */
import { registerHooks } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";

const file = workerData as string;

// An app needs no node_modules: where "flotilla" is not installed beside it, it gets the one that reads it.
registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== "flotilla") return next(specifier, context);
    try {
      return next(specifier, context);
    } catch {
      return {
        url: new URL("./model/define-app.ts", import.meta.url).href,
        format: "module-typescript",
        shortCircuit: true,
      };
    }
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
