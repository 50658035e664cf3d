/** The controllers while they run: from the first list to the last write. A leader that is deposed ends its session. */
import { ControllerLoop, type LoopOptions } from "./controller-loop.ts";
import { EventRecorder } from "./event-recorder.ts";
import { Informers } from "./informers.ts";
import type { RunnerOptions } from "./runner.ts";
import { Sources } from "./sources.ts";

type SessionOptions = RunnerOptions & Required<Pick<RunnerOptions, "effects" | "concurrency" | "log">>;

export class Session {
  readonly #informers: Informers;
  readonly #sources: Sources;
  readonly #recorder: EventRecorder;
  readonly #loops: ControllerLoop[];
  readonly #stopping = new AbortController();
  readonly started: Promise<void>;

  constructor(options: SessionOptions) {
    const { controllers } = options;
    const loops: ControllerLoop[] = [];
    this.#loops = loops;
    this.#recorder = new EventRecorder(options);
    this.#informers = new Informers(
      options,
      controllers.flatMap(({ watches }) => watches),
      (informer, before, after) => {
        for (const loop of loops) loop.changed(informer, before, after);
      },
    );
    this.#sources = new Sources(
      controllers.flatMap(({ sources }) => sources ?? []),
      options,
      (source, key) => {
        for (const loop of loops) loop.sourceChanged(source, key);
      },
    );
    const shared: Omit<LoopOptions, "controller"> = {
      ...options,
      informers: this.#informers,
      sources: this.#sources,
      recorder: this.#recorder,
      component: options.recorder,
      signal: this.#stopping.signal,
    };
    for (const controller of controllers) loops.push(new ControllerLoop({ ...shared, controller }));
    this.started = Promise.all(loops.map((loop) => loop.start())).then(() => undefined);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#sources.stop();
    // Informers first: their end lets go of those that wait for a cache to catch up.
    await Promise.all([this.#informers.stop(), ...this.#loops.map((loop) => loop.stop())]);
    await this.#recorder.stop();
  }
}
