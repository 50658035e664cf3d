/** What a benchmark makes and must take back: in reverse order, also when it fails or is interrupted. */
export class Resources {
  readonly #undo: (() => Promise<void> | void)[] = [];

  /** Released with `parent`, if not before. */
  constructor(parent?: Resources) {
    parent?.defer(() => this.release());
  }

  defer(undo: () => Promise<void> | void): void {
    this.#undo.push(undo);
  }

  async release(): Promise<void> {
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop())
      try {
        await undo();
      } catch (error) {
        console.error("could not clean up:", error);
      }
  }
}
