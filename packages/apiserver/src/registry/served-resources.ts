/** Which resources are served now: those of the table and those of established CustomResourceDefinitions. */
import { resources as known, methodNotAllowed, noSuchPath, type Resource } from "@flotilla/objects";

const pathOf = ({ group, version, plural }: Pick<Resource, "group" | "version" | "plural">) =>
  `${group}/${version}/${plural}`;

export class ServedResources {
  readonly #own: readonly Resource[];
  #all: readonly Resource[];
  #byPath: Map<string, Resource>;
  readonly #changeListeners = new Set<() => void>();
  readonly #endListeners = new Set<() => void>();

  constructor(own: readonly Resource[] = known) {
    this.#own = own;
    this.#all = own;
    this.#byPath = new Map(own.map((resource) => [pathOf(resource), resource]));
  }

  all(): readonly Resource[] {
    return this.#all;
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    return this.#byPath.get(pathOf({ group, version, plural }));
  }

  /** Those of CustomResourceDefinitions, instead of the ones that were set before. The table's own stay. */
  setCustom(custom: readonly Resource[]): void {
    const taken = new Set(this.#own.map(pathOf));
    this.#all = [...this.#own, ...custom.filter((resource) => !taken.has(pathOf(resource)))];
    this.#byPath = new Map(this.#all.map((resource) => [pathOf(resource), resource]));
    for (const listener of this.#changeListeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.#changeListeners.add(listener);
    return () => void this.#changeListeners.delete(listener);
  }

  /** The resource as it is served now (a custom one may have got another schema). Throws what an unknown path is answered with. */
  mustServe(resource: Resource, verb?: string): Resource {
    const served = this.#byPath.get(pathOf(resource));
    if (!served) throw noSuchPath();
    if (verb && served.verbs && !served.verbs.includes(verb)) throw methodNotAllowed(served, verb);
    return served;
  }

  /** Called when the control plane stops. */
  onEnd(listener: () => void): () => void {
    this.#endListeners.add(listener);
    return () => void this.#endListeners.delete(listener);
  }

  end(): void {
    for (const listener of [...this.#endListeners]) listener();
    this.#endListeners.clear();
  }
}
