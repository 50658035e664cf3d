/** The pods that this node holds, as values; every change wakes the controllers. */
import type { Source } from "@flotilla/client";
import type { Pod } from "@flotilla/objects";
import { idle, type LocalContainer, type LocalPod, type Note } from "./local-pod.ts";
import { keyFromText, podKey } from "./pod-observation.ts";

/** Events that nobody fetches (no API for a long time) are forgotten beyond this many, the oldest first. */
const mostNotes = 200;

export class PodStore {
  readonly #pods = new Map<string, LocalPod>();
  #publish: ((key: string, value: readonly LocalPod[] | undefined) => void) | undefined;
  #notes = 0;

  readonly source: Source<readonly LocalPod[]> = {
    name: "local-pods",
    start: (set) => {
      this.#publish = set;
      for (const pod of this.#pods.values()) this.#tell(pod);
    },
    keys: (key) => [keyFromText(key)],
  };

  get(uid: string): LocalPod | undefined {
    return this.#pods.get(uid);
  }

  list(): readonly LocalPod[] {
    return [...this.#pods.values()];
  }

  put(local: LocalPod): void {
    this.#pods.set(local.uid, local);
    this.#tell(local);
  }

  remove(uid: string): void {
    const local = this.#pods.get(uid);
    this.#pods.delete(uid);
    if (local) this.#tell(local);
  }

  /** Nothing happens to a pod that is gone. */
  update(uid: string, change: (local: LocalPod) => Partial<LocalPod>): void {
    const local = this.#pods.get(uid);
    if (local) this.put({ ...local, ...change(local) });
  }

  updateContainer(uid: string, name: string, change: (container: LocalContainer) => Partial<LocalContainer>): void {
    this.update(uid, ({ containers }) => {
      const before = containers[name] ?? idle;
      return { containers: { ...containers, [name]: { ...before, ...change(before) } } };
    });
  }

  note(uid: string, type: Note["type"], reason: string, message: string, container?: string): void {
    const note: Note = { number: ++this.#notes, type, reason, message, container };
    this.update(uid, ({ notes }) => ({ notes: [...notes, note].slice(-mostNotes) }));
  }

  told(uid: string, upTo: number): void {
    this.update(uid, ({ notes }) => ({ notes: notes.filter(({ number }) => number > upTo) }));
  }

  byRun(id: string): { readonly local: LocalPod; readonly name: string } | undefined {
    for (const local of this.#pods.values())
      for (const [name, { state }] of Object.entries(local.containers))
        if (state.is === "running" && state.id === id) return { local, name };
    return undefined;
  }

  #tell({ pod }: { readonly pod: Pod }): void {
    const key = podKey(pod);
    const same = this.list().filter((each) => podKey(each.pod) === key);
    this.#publish?.(key, same.length > 0 ? same : undefined);
  }
}
