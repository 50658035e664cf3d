/** Pods' output becomes log records: the files of this node's agent, tagged with what the API says of the pods. */
import { type Controller, type Effects, watchMapped } from "@flotilla/client";
import { type Pod, Pods } from "@flotilla/objects";
import { Follower, type PodLogsOptions } from "./follower.ts";
import { labelsOf } from "./pod-resource.ts";

export interface PodLogs {
  /** For the runner, together with `effects`; it only reads. */
  readonly controller: Controller<readonly Pod[]>;
  readonly effects: Effects;
  /** Hands on what has been written so far and remembers how far that is. */
  stop(): Promise<void>;
}

/** All labels are one table, so all pods are one key. */
const everything = { name: "pods" };

const to = "pod-logs";

/** Follows from now on; pods may become known before or after their files. */
export function podLogs(options: PodLogsOptions): PodLogs {
  const follower = new Follower(options);
  const ended = new AbortController();
  const running = follower.run(ended.signal);
  running.catch((error: unknown) =>
    options.log?.({ level: "error", message: "pods' logs are not read any more", error }),
  );
  return {
    controller: {
      name: to,
      watches: [watchMapped(Pods, () => [everything])],
      observe: (_key, cache) => cache.list(Pods),
      decide: (pods) => ({ effects: [{ to, do: pods }] }),
    },
    effects: {
      async [to](pods) {
        follower.setPods(new Map((pods as readonly Pod[]).map((pod) => [pod.metadata.uid ?? "", labelsOf(pod)])));
      },
    },
    async stop() {
      ended.abort();
      await running;
    },
  };
}
