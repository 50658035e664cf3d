/** The files that the node itself gives to every container of a pod: hosts, resolv.conf, the message of its end. */
import type { Container, Pod } from "@flotilla/objects";
import type { Mount } from "./runtime.ts";

export interface PodFiles {
  prepare(pod: Pod, podIP: string): void;
  mounts(pod: Pod): readonly Mount[];
  /** Undefined: messages are not taken. */
  terminationFile(pod: Pod, container: string, restartCount: number): string | undefined;
  terminationMessage(
    pod: Pod,
    container: Container,
    restartCount: number,
    exitCode: number,
    logPath: string,
  ): string | undefined;
  /** Rewrites the names of Services in the hosts file of every pod. */
  setHosts(linesFor: (namespace: string) => string): void;
  remove(pod: Pod): void;
  keepOnly(podUids: ReadonlySet<string>): void;
}

/** For simulations: none. */
export const noPodFiles: PodFiles = {
  prepare() {},
  mounts: () => [],
  terminationFile: () => undefined,
  terminationMessage: () => undefined,
  setHosts() {},
  remove() {},
  keepOnly() {},
};
