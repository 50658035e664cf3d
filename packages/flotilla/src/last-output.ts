/** What a part that does not work has said last: the end of its log, what its probes got for an answer, and what that may mean. */
import type { HttpApi } from "@flotilla/client";
import { type ContainerStatus, type Event, Events, isDeleted, isReady, type Pod, Pods } from "@flotilla/objects";
import type { ServiceState } from "./service-state.ts";

const readLines = 40;
const shownLines = 8;

const isWell = ({ ready, state }: ContainerStatus) => ready || state?.terminated?.exitCode === 0;

/** The container to ask: the first, in the order of their start, that keeps its pod from working; none that never ran. */
export function troubled(
  pods: readonly Pod[],
): { pod: Pod; container: string; running: boolean; previous: boolean } | undefined {
  const newestFirst = pods
    .filter((pod) => !isDeleted(pod) && !isReady(pod) && pod.status?.phase !== "Succeeded")
    .sort((a, b) => (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? ""))
    .reverse();
  for (const pod of newestFirst) {
    const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
    const found = statuses.find((status) => !isWell(status));
    const ran = found?.state?.running ?? found?.state?.terminated ?? found?.lastState?.terminated;
    // One that has just been started again has said nothing yet; why it ended says the run before.
    const failed =
      found?.lastState?.terminated !== undefined && found.lastState.terminated.reason !== "ContainerStatusUnknown";
    if (found && ran) {
      const running = found.state?.running !== undefined;
      return { pod, container: found.name, running, previous: running && failed };
    }
  }
  return undefined;
}

/** What a log or a probe's answer points to, where many have stood before. */
export function hint(lines: readonly string[]): string | undefined {
  const text = lines.join("\n");
  if (/EADDRINUSE|address already in use/i.test(text))
    return "Listen on $HOST:$PORT: 0.0.0.0 and other addresses are taken by other services.";
  if (/EADDRNOTAVAIL|cannot assign requested address/i.test(text)) return "Listen on $HOST:$PORT.";
  return undefined;
}

/** The end of a log, without what a runtime says of its own insides. */
export const tellingLines = (log: string): string[] =>
  log
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^\s+at .*\bnode:|^node:internal|^Node\.js v\d/.test(line))
    .slice(-shownLines);

export async function lastOutput(
  api: Pick<HttpApi, "list" | "request">,
  app: { namespace?: string; name: string },
  part: string,
): Promise<string[]> {
  const labels = `app.kubernetes.io/part-of=${app.name},app.kubernetes.io/name=${part}`;
  const { items } = await api.list(Pods, { namespace: app.namespace, labelSelector: labels });
  const found = troubled(items);
  if (!found) return [];
  const { pod, container, running, previous } = found;
  const [log, probe] = await Promise.all([
    endOfLog(api, pod, container, previous),
    running && !previous ? lastProbe(api, pod) : undefined,
  ]);
  const lines = probe === undefined ? log : [...log, probe];
  const meaning = hint(lines);
  return meaning ? [...lines, meaning] : lines;
}

async function endOfLog(
  api: Pick<HttpApi, "request">,
  pod: Pod,
  container: string,
  previous: boolean,
): Promise<string[]> {
  const query = new URLSearchParams({
    container,
    tailLines: String(readLines),
    ...(previous && { previous: "true" }),
  });
  const { namespace, name } = pod.metadata;
  const answer = await api.request(`/api/v1/namespaces/${namespace}/pods/${name}/log?${query}`);
  return tellingLines(await answer.text());
}

async function lastProbe(api: Pick<HttpApi, "list">, { metadata }: Pod): Promise<string | undefined> {
  const { items } = await api.list(Events, {
    namespace: metadata.namespace,
    fieldSelector: `involvedObject.uid=${metadata.uid}`,
  });
  const time = ({ lastTimestamp, eventTime, metadata }: Event) =>
    lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? "";
  const probes = items.filter(({ reason }) => reason === "Unhealthy").sort((a, b) => time(a).localeCompare(time(b)));
  return probes.at(-1)?.message;
}

/** Adds what they said last to those that fail. It is asked for once for each reason: the next look must not wait for it. */
export function outputs(api: Pick<HttpApi, "list" | "request">, app: { namespace?: string; name: string }) {
  const known = new Map<string, Promise<string[]>>();
  return (states: readonly ServiceState[]): Promise<ServiceState[]> =>
    Promise.all(
      states.map(async (state) => {
        if (state.state !== "failing") return state;
        const key = `${state.name}: ${state.message}`;
        // A log that cannot be read is no reason to keep the failure back.
        const asked = known.get(key) ?? lastOutput(api, app, state.name).catch(() => []);
        known.set(key, asked);
        const output = await asked;
        if (output.length > 0) return { ...state, output };
        // It may not have been written down yet.
        known.delete(key);
        return state;
      }),
    );
}
