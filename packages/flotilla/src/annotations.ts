/** Annotations of an App by which the commands and the process that builds its images speak to each other. */
export const annotations = {
  /** Set to a new value to have the folder read and built again. */
  syncRequested: "flotilla.dev/sync-requested",
  /** The value of the last request that has been carried out: the App and its versions are what the folder holds. */
  synced: "flotilla.dev/synced",
} as const;
