// flotilla logs: the output of all pods of the application, merged, coloured by service, tagged by pod.
import { sleep, systemClock } from "@flotilla/ambient";
import { ApiUnreachableError } from "@flotilla/client";
import { isExpired, isGone, type Pod, Pods } from "@flotilla/objects";
import { type LogSearch, QueryError } from "@flotilla/telemetry/ask";
import { applicationOf, connect } from "../connect.ts";
import { CommandError } from "../errors.ts";
import { foundLines, type Line, severity } from "../found-logs.ts";
import { jsonText, printLines } from "../legible.ts";
import { shownLines } from "../line-text.ts";
import { duration } from "../period.ts";
import { telemetryOf } from "../telemetry-of.ts";
import { isColoured, painter } from "../terminal.ts";
import { colours } from "../waterfall.ts";

export interface LogsOptions {
  dir: string;
  follow?: boolean;
  since?: string;
  trace?: string;
  grep?: string;
  ignoreCase?: boolean;
  level?: string;
  changes?: boolean;
  limit: number;
  output?: "json";
}

const serviceLabel = "app.kubernetes.io/name";

/**
 * With a condition, what telemetry keeps is searched, which has pods that are gone as well. Without one the pods themselves are
 * asked: that works whatever becomes of telemetry.
 */
export async function logs(services: string[], options: LogsOptions): Promise<void> {
  const { trace, grep, level, changes } = options;
  if (trace !== undefined || grep !== undefined || level !== undefined || changes) return search(services, options);
  const since =
    options.since === undefined ? undefined : Math.max(1, Math.ceil(duration("--since", options.since) / 1000));
  const { api, app } = await applicationOf(options.dir);
  const namespace = app.metadata.namespace as string;
  const { request } = connect(options.dir);
  const selection = { namespace, labelSelector: `app.kubernetes.io/part-of=${app.metadata.name}` };
  const { items, metadata } = await api.list(Pods, selection);
  const known = new Set(items.map((pod) => pod.metadata.labels?.[serviceLabel]));
  for (const service of services)
    if (!known.has(service))
      throw new CommandError(`There is no service "${service}"; there are: ${[...known].sort().join(", ")}`);

  const wanted = (pod: Pod) => services.length === 0 || services.includes(pod.metadata.labels?.[serviceLabel] ?? "");
  const print = printer(options.output === "json");
  /** By container: the time of the last line that was shown, so that a log that was cut goes on where it was. */
  const shown = new Map<string, string>();
  const read = async (pod: Pod, container: string, young: boolean, id = "") => {
    const query = new URLSearchParams({ container, timestamps: "true", ...(options.follow && { follow: "true" }) });
    if (since !== undefined && !young) query.set("sinceSeconds", String(since));
    const lines: Line[] = [];
    const until = shown.get(id) ?? "";
    const body = await request(`/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}/log?${query}`);
    for await (const text of linesOf(body)) {
      const space = text.indexOf(" ");
      const line = {
        time: text.slice(0, space),
        text: text.slice(space + 1),
        service: pod.metadata.labels?.[serviceLabel] ?? pod.metadata.name,
        pod: pod.metadata.name,
        container,
      };
      if (!options.follow) lines.push(line);
      else if (line.time > until) {
        shown.set(id, line.time);
        print(line);
      }
    }
    return lines;
  };
  // A container that has not started has no log; that is no reason to keep the others'.
  const readAll = (pod: Pod, young: boolean) =>
    startedContainers(pod).map((container) => read(pod, container, young).catch((): Line[] => []));

  if (!options.follow) {
    const lines = (await Promise.all(items.filter(wanted).flatMap((pod) => readAll(pod, false)))).flat();
    lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).forEach(print);
    return;
  }
  const followed = new Set<string>();
  const start = (pod: Pod, young: boolean) => {
    if (!wanted(pod)) return;
    const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
    for (const container of startedContainers(pod)) {
      const status = statuses.find(({ name }) => name === container);
      const id = `${pod.metadata.uid} ${container} ${status?.containerID ?? ""}`;
      if (followed.has(id)) continue;
      followed.add(id);
      const isOver = status?.state?.terminated !== undefined;
      read(pod, container, young, id).then(
        // Of one that runs, the log has only been cut.
        () => isOver || followed.delete(id),
        () => followed.delete(id),
      );
    }
  };
  for (const pod of items) start(pod, false);
  let from = metadata.resourceVersion;
  for (;;) {
    try {
      for await (const change of api.watch(Pods, { ...selection, resourceVersion: from }))
        if (change.type === "ADDED" || change.type === "MODIFIED") start(change.object as Pod, true);
    } catch (error) {
      if (!(error instanceof ApiUnreachableError || isExpired(error) || isGone(error))) throw error;
    }
    // The control plane may be restarting; containers go on, and so does what they say.
    await sleep(systemClock, 250);
    const again = await api.list(Pods, selection).catch((error: unknown) => {
      if (error instanceof ApiUnreachableError) return undefined;
      throw error;
    });
    if (!again) continue;
    for (const pod of again.items) start(pod, true);
    from = again.metadata.resourceVersion;
  }
}

async function search(services: readonly string[], options: LogsOptions): Promise<void> {
  const { dir, since, trace, grep, ignoreCase, level, changes, follow, limit } = options;
  if (trace !== undefined && !/^[0-9a-f]{32}$/i.test(trace))
    throw new CommandError(`--trace ${trace}: a trace id has 32 hexadecimal digits; find one with: flotilla trace`, 2);
  const wanted: LogSearch = {
    ...(services.length > 0 && { services }),
    ...(since !== undefined && { from: systemClock.now() - duration("--since", since) }),
    ...(trace !== undefined && { traceId: trace.toLowerCase() }),
    ...(grep !== undefined && { grep }),
    ...(ignoreCase && { ignoreCase }),
    ...(level !== undefined && { minSeverity: severity(level) }),
    ...(changes && { event: "*" }),
    limit,
  };
  const print = printer(options.output === "json", trace !== undefined);
  // What the cluster itself has to say is for those who ask for it by name.
  const isWanted = ({ namespace }: Line) =>
    namespace !== "kube-system" || services.length > 0 || trace !== undefined || changes === true;
  let [found, shown] = [0, 0];
  try {
    for await (const line of foundLines(telemetryOf(dir), wanted, follow === true)) {
      found++;
      if (!isWanted(line)) continue;
      shown++;
      print(line);
    }
  } catch (error) {
    throw error instanceof QueryError ? new CommandError(`--grep ${grep}: ${error.message}`, 2) : error;
  }
  if (options.output === "json") return;
  if (found === limit) process.stderr.write(`The newest ${limit}; older ones as well with --limit\n`);
  else if (shown === 0) process.stderr.write(changes ? "No change is known.\n" : "No line matches.\n");
}

const startedContainers = (pod: Pod): string[] =>
  [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
    .filter(({ state }) => state?.running || state?.terminated)
    .map(({ name }) => name);

type Print = (line: Line) => void;

/** `oneTrace`: all lines are of one trace, which need not be named again. */
function printer(asJson: boolean, oneTrace = false): Print {
  if (asJson) return (line) => void process.stdout.write(`${jsonText(line)}\n`);
  const look = { paint: painter(isColoured(process.stdout)), colour: colours(), oneTrace };
  return (line) => printLines(process.stdout, shownLines(line, look));
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() as string;
    yield* lines;
  }
  if (rest) yield rest;
}
