/** Many at once, or one alone: who waits to be alone comes before those who come later, so that nobody waits for ever. */
export class Turns {
  #together = 0;
  #isAlone = false;
  readonly #waiting: { readonly alone: boolean; readonly go: () => void }[] = [];

  /** Call what is returned once, at the end. */
  async enter(alone: boolean): Promise<() => void> {
    if (this.#waiting.length > 0 || !this.#isFree(alone))
      await new Promise<void>((go) => this.#waiting.push({ alone, go: () => go() }));
    else this.#begin(alone);
    return () => {
      if (alone) this.#isAlone = false;
      else this.#together--;
      this.#next();
    };
  }

  #isFree(alone: boolean): boolean {
    return !this.#isAlone && (!alone || this.#together === 0);
  }

  #begin(alone: boolean): void {
    if (alone) this.#isAlone = true;
    else this.#together++;
  }

  #next(): void {
    for (let first = this.#waiting[0]; first && this.#isFree(first.alone); first = this.#waiting[0]) {
      this.#waiting.shift();
      // Counted before it runs, so that nobody comes between.
      this.#begin(first.alone);
      first.go();
    }
  }
}
