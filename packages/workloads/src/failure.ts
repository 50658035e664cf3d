/** The events that an owner of pods has for what it does, and for what failed at the last look. */
import type { EventNote, Failure } from "@flotilla/client";
import { isConflict, type KubeObject, type Pod } from "@flotilla/objects";

export const isAboutPods = ({ write }: Failure): boolean =>
  write.resource.group === "" && write.resource.plural === "pods";

/** FailedCreate and FailedDelete, in Kubernetes' words. Conflicts are part of the day and not worth an event. */
export const failureEvents = (owner: KubeObject, failures: readonly Failure[]): EventNote[] =>
  failures.flatMap((failure): EventNote[] => {
    const { write, error } = failure;
    if (!isAboutPods(failure) || isConflict(error)) return [];
    if (write.verb === "create")
      return [{ about: owner, type: "Warning", reason: "FailedCreate", message: `Error creating: ${error.message}` }];
    if (write.verb === "delete")
      return [{ about: owner, type: "Warning", reason: "FailedDelete", message: `Error deleting: ${error.message}` }];
    return [];
  });

const normal = (about: KubeObject, reason: string, message: string): EventNote => ({
  about,
  type: "Normal",
  reason,
  message,
});

export const podEvents = (owner: KubeObject, made: readonly Pod[], removed: readonly Pod[]): EventNote[] => [
  ...made.map(({ metadata }) => normal(owner, "SuccessfulCreate", `Created pod: ${metadata.name}`)),
  ...removed.map(({ metadata }) => normal(owner, "SuccessfulDelete", `Deleted pod: ${metadata.name}`)),
];
