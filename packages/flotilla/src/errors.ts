/**
 * How a command ends. 0: done. 1: it could not be done (the text says why and what to do). 2: the command line itself is wrong.
 * 130: interrupted by Ctrl-C.
 */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Ends the command with its message and nothing else; any other error is a bug and shows its stack. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}
