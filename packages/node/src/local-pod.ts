/** What this node knows of a pod that the API does not (yet): what really runs. Kept by `pod-worker.ts`, read by the decision. */
import type { Container, Pod } from "@flotilla/objects";
import { isSidecar } from "@flotilla/objects";

export interface Run {
  /** The runtime's id. */
  readonly id: string;
  readonly startedAt: number;
}

export interface Ended extends Run {
  readonly finishedAt: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
}

/** It is being ended, with that much grace. */
export interface Stopping {
  readonly graceMs: number;
}

export type ContainerState =
  | { readonly is: "idle" }
  /** Asked of the runtime; the answer is not there yet. */
  | { readonly is: "starting" }
  | ({ readonly is: "running"; readonly stopping?: Stopping } & Run)
  | ({ readonly is: "exited" } & Ended);

export interface StartFailure {
  readonly reason: string;
  readonly message: string;
  readonly at: number;
  readonly count: number;
  /** Time does not mend it: objects that it needs are missing. */
  readonly awaitsObjects?: boolean;
}

/** Why nobody reaches it: it listens at the wrong place, or may not listen on its port. */
export interface Fault {
  readonly reason: "WrongListener" | "PrivilegedPort";
  readonly message: string;
}

export interface LocalContainer {
  readonly state: ContainerState;
  readonly restartCount: number;
  readonly last?: Ended;
  /** Why it could not be created, since when it is so, and how often it was tried. */
  readonly failure?: StartFailure;
  /** How long to wait after its end before the next start, and when that was decided. */
  readonly backOff?: { readonly delay: number; readonly at: number };
  readonly imageID?: string;
  /** Its startup probe and its postStart hook have succeeded, or there are none. */
  readonly started: boolean;
  /** Its readiness probe succeeds, or there is none. */
  readonly ready: boolean;
  /** Why it must be ended: a failed liveness probe, startup probe or hook. */
  readonly unhealthy?: string;
  readonly fault?: Fault;
}

/** Something that happened, to become an Event. */
export interface Note {
  readonly number: number;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** It happened to this one; undefined: to the pod. */
  readonly container?: string;
}

export interface LocalPod {
  /** As last seen in the API. */
  readonly pod: Pod;
  readonly uid: string;
  readonly podIP: string;
  /** The address is its own; one that has ended gives it back. */
  readonly holdsAddress: boolean;
  readonly startTime: string;
  readonly containers: Readonly<Record<string, LocalContainer>>;
  readonly volumes: {
    /** Of the plans that were carried out; undefined: none yet. */
    readonly hash?: string;
    readonly busy: boolean;
    readonly problem?: string;
    readonly problemAt?: number;
  };
  /** Fields that the runtime cannot honour. */
  readonly shortcomings: readonly string[];
  readonly notes: readonly Note[];
}

export const idle: LocalContainer = { state: { is: "idle" }, restartCount: 0, started: false, ready: false };

export const localContainer = (local: LocalPod | undefined, name: string): LocalContainer =>
  local?.containers[name] ?? idle;

export const isRunning = ({ state }: LocalContainer): boolean => state.is === "running" || state.is === "starting";

export const anyRunning = (local: LocalPod): boolean => Object.values(local.containers).some(isRunning);

export type ContainerKind = "init" | "sidecar" | "regular";

/** All containers in the order of their start. */
export const allContainers = ({
  spec,
}: Pod): readonly { readonly container: Container; readonly kind: ContainerKind }[] => [
  ...(spec.initContainers ?? []).map((container) => ({
    container,
    kind: isSidecar(container) ? ("sidecar" as const) : ("init" as const),
  })),
  ...spec.containers.map((container) => ({ container, kind: "regular" as const })),
];
