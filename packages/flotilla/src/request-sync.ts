/** Asks what runs already to read and build its folder anew. */
import { systemClock } from "@flotilla/ambient";
import { ApiUnreachableError } from "@flotilla/client";
import { Apps, isNotFound } from "@flotilla/objects";
import { annotations } from "./annotations.ts";
import { asArgument } from "./cluster-folder.ts";
import { unanswered } from "./connect.ts";
import { CommandError } from "./errors.ts";
import { whenThere } from "./reachable.ts";
import type { Application, Run } from "./run-of-app.ts";
import { patience } from "./until-ready.ts";

export async function requestSync(app: Application, { api, sync }: Run, ended: AbortSignal): Promise<void> {
  const { name, namespace, folder, dir } = app;
  const request = () =>
    api.write({
      verb: "patch",
      type: "merge",
      resource: Apps,
      namespace,
      name,
      patch: { metadata: { annotations: { [annotations.syncRequested]: sync } } },
    });
  // It may have been started a moment ago.
  const limit = new AbortController();
  const cancel = systemClock.after(patience, () => limit.abort());
  try {
    await whenThere(systemClock, AbortSignal.any([limit.signal, ended]), request);
  } catch (error) {
    if (ended.aborted) return;
    if (error instanceof ApiUnreachableError)
      throw new CommandError(`${unanswered(folder, error)}\nIt is stopped by: flotilla down${asArgument(dir)}`);
    if (isNotFound(error))
      throw new CommandError(`What runs here is not ${name}: stop it first, with: flotilla down${asArgument(dir)}`);
    throw error;
  } finally {
    cancel();
  }
}
