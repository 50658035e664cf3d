/** What became of the addresses that the proxy was told to listen on, as a source that controllers read. */
import type { Key, Source } from "@flotilla/client";

/** Reasons by "address:port"; only addresses at which listening failed are in it. */
export type ListenerProblems = Readonly<Record<string, string>>;

export interface ListenerSource extends Source<ListenerProblems> {
  /** Tells what fails now. */
  report(problems: ListenerProblems): void;
}

export function listenerSource(key: Key): ListenerSource {
  let tell: ((problems: ListenerProblems) => void) | undefined;
  let last: ListenerProblems = {};
  return {
    name: "listeners",
    start(set) {
      tell = (problems) => set(key.name, problems);
      tell(last);
    },
    keys: () => [key],
    report(problems) {
      last = problems;
      tell?.(problems);
    },
  };
}
