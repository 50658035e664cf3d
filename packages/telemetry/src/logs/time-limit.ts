/**
 * Runs what may never end: regular expressions that try every way to match. V8 looks for an order to end while it backtracks, so the
 * process is held up for the limit at most, and no worker with a memory of its own is needed.
 *
 * Source: nodejs.org, vm, `timeout` of `script.runInContext`.
 */
import { type Context, createContext, Script } from "node:vm";

export class TimeLimitError extends Error {}

const sandbox: { run?: () => void } = {};
let context: Context | undefined;
const script = new Script("run()");

/** `limit`: milliseconds. A `TimeLimitError` means that `run` was ended somewhere. */
export function within<T>(limit: number, run: () => T): T {
  context ??= createContext(sandbox);
  let result: { value: T } | undefined;
  sandbox.run = () => {
    result = { value: run() };
  };
  try {
    script.runInContext(context, { timeout: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") throw new TimeLimitError();
    throw error;
  } finally {
    sandbox.run = undefined;
  }
  return (result as { value: T }).value;
}
