/**
 * How a command ends. 0: done. 1: it could not be done (the text says why and what to do). 2: the command line itself is wrong.
 * 130: interrupted by Ctrl-C.
 */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** What a user can do about errors of the system; their messages name the file. */
const remedies: Readonly<Record<string, string>> = {
  EACCES: "give yourself the right to it, or copy the app to a folder of your own",
  EPERM: "give yourself the right to it, or copy the app to a folder of your own",
  EROFS: "an app's state lies beside its file; copy the app to a folder that can be written",
  ENOSPC: "make room on the disk",
  EDQUOT: "make room on the disk",
  ENOTDIR: "something else is where a folder should be; move it away",
  EMFILE: "too many files are open; raise the limit with ulimit -n",
};

/** Errors that are the user's to read, in words; undefined: a bug. */
export function inWords(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const remedy = remedies[(error as NodeJS.ErrnoException).code ?? ""];
  if (remedy) return `${error.message}; ${remedy}`;
  return ["CommandError", "StatusError", "ApiUnreachableError"].includes(error.name) ? error.message : undefined;
}

/** Ends the command with its message and nothing else; any other error is a bug and shows its stack. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}
