/**
 * Shows static pods in the API, as pods that nobody can change: one that is deleted is made again.
 *
 * Source: kubernetes pkg/kubelet/pod/mirror_client.go.
 */
import { type Controller, create, type Decision, type Source, status, watchMapped } from "@flotilla/client";
import { contentHash, isDeleted, type Pod, type PodStatus, Pods, timeOf } from "@flotilla/objects";
import { mirrorAnnotation } from "./pod-observation.ts";
import type { StaticPodState } from "./static-pods.ts";

export interface MirrorFacts {
  readonly nodeName: string;
  readonly hostIP: string;
  readonly image: string;
}

interface Observed {
  readonly state: StaticPodState;
  readonly pod: Pod | undefined;
}

const namespace = "kube-system";

export function mirrorController(facts: MirrorFacts, source: Source<StaticPodState>): Controller<Observed> {
  const podName = (name: string) => `${name}-${facts.nodeName}`;
  const suffix = `-${facts.nodeName}`;
  return {
    name: "mirror-pods",
    watches: [
      watchMapped(
        Pods,
        ({ metadata: { name } }) => (name.endsWith(suffix) ? [{ namespace, name: name.slice(0, -suffix.length) }] : []),
        { namespace },
      ),
    ],
    sources: [source],
    observe(key, cache) {
      const state = cache.source(source, key.name)?.value;
      return state && { state, pod: cache.get(Pods, { namespace, name: podName(key.name) }) };
    },
    decide: ({ state, pod }, { now }) => decideMirror(facts, podName(state.name), state, pod, now),
  };
}

export function decideMirror(
  facts: MirrorFacts,
  name: string,
  state: StaticPodState,
  pod: Pod | undefined,
  now: Date,
): Decision {
  const hash = contentHash({ command: state.command });
  if (!pod) return { writes: [create(Pods, mirror(facts, name, state, hash))] };
  if (isDeleted(pod) || pod.metadata.annotations?.[mirrorAnnotation] !== hash)
    return {
      writes: [
        {
          verb: "delete",
          resource: Pods,
          namespace,
          name,
          preconditions: { uid: pod.metadata.uid },
          gracePeriodSeconds: 0,
        },
      ],
    };
  return { writes: [status(pod, mirrorStatus(facts, pod, state, now))] };
}

const mirror = ({ nodeName, image }: MirrorFacts, name: string, state: StaticPodState, hash: string) => ({
  metadata: {
    name,
    namespace,
    labels: { "app.kubernetes.io/name": state.name, "app.kubernetes.io/part-of": "flotilla", tier: "control-plane" },
    annotations: { [mirrorAnnotation]: hash, "kubernetes.io/config.hash": hash, "kubernetes.io/config.source": "file" },
  },
  spec: {
    nodeName,
    hostNetwork: true,
    restartPolicy: "Always" as const,
    automountServiceAccountToken: false,
    priorityClassName: "system-node-critical",
    tolerations: [{ operator: "Exists" as const }],
    containers: [{ name: state.name, image, command: [...state.command] }],
  },
});

function mirrorStatus(
  { hostIP, image }: MirrorFacts,
  pod: Pod,
  { run, last, restartCount, name }: StaticPodState,
  now: Date,
): PodStatus {
  const time = (ms: number) => timeOf(new Date(ms));
  const readiness = run ? "True" : "False";
  const condition = (type: string, is: "True" | "False") => {
    const before = pod.status?.conditions?.find((each) => each.type === type);
    const since = before?.status === is ? before.lastTransitionTime : undefined;
    return { type, status: is, lastTransitionTime: since ?? timeOf(now) };
  };
  const terminated = last && {
    exitCode: last.exitCode,
    reason: "Error",
    message: last.message,
    startedAt: time(last.startedAt),
    finishedAt: time(last.finishedAt),
    containerID: `process://${last.id}`,
  };
  return {
    ...pod.status,
    phase: "Running",
    hostIP,
    podIP: hostIP,
    hostIPs: [{ ip: hostIP }],
    podIPs: [{ ip: hostIP }],
    startTime: pod.status?.startTime ?? timeOf(now),
    conditions: [
      condition("PodReadyToStartContainers", "True"),
      condition("Initialized", "True"),
      condition("Ready", readiness),
      condition("ContainersReady", readiness),
      condition("PodScheduled", "True"),
    ],
    containerStatuses: [
      {
        name,
        image,
        imageID: "",
        ready: run !== undefined,
        started: run !== undefined,
        restartCount,
        state: run
          ? { running: { startedAt: time(run.startedAt) } }
          : { waiting: { reason: "CrashLoopBackOff", message: last?.message } },
        lastState: terminated ? { terminated } : {},
        containerID: run ? `process://${run.id}` : undefined,
      },
    ],
  };
}
