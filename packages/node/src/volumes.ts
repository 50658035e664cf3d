/** What the agent asks of whatever makes volumes: folders of this machine, or nothing at all in a simulation. */
import type { Pod } from "@flotilla/objects";
import type { VolumePlan } from "./pod-volumes.ts";

export interface Volumes {
  /**
   * Makes what is planned, or brings it up to date without a moment of half. Answers where each volume is, by name.
   * Rejects with a message fit for an Event.
   */
  prepare(pod: Pod, plans: readonly VolumePlan[]): Promise<ReadonlyMap<string, string>>;
  /** What belongs to this pod alone. */
  remove(podUid: string): Promise<void>;
  /** Removes what belongs to other pods than these. */
  keepOnly(podUids: ReadonlySet<string>): Promise<void>;
}
