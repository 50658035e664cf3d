// flotilla check: every mistake of the model at once, with place and remedy.
import { formatMistake } from "@flotilla/app";
import { exitCodes } from "../errors.ts";
import { modelPlace, readModel } from "../model.ts";

export async function check(dir: string, options: { output?: "json" }): Promise<void> {
  const { name, mistakes } = await readModel(modelPlace(dir));
  if (mistakes.length > 0) process.exitCode = exitCodes.failed;
  if (options.output === "json") return console.log(JSON.stringify({ app: name, mistakes }, null, 2));
  if (mistakes.length === 0) return console.log(`App ${name}: no mistakes.`);
  for (const mistake of mistakes) console.error(formatMistake(name, mistake));
}
