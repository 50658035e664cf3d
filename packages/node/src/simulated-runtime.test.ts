import { simulation } from "@flotilla/ambient";
import { runtimeCases } from "./runtime.cases.ts";
import type { Runtime } from "./runtime.ts";
import { type Behaviour, simulatedRuntime } from "./simulated-runtime.ts";

const behaviours: Readonly<Record<string, Behaviour>> = {
  serve: {},
  stubborn: { ignoresTerm: true },
  fails: { exits: { after: 10, code: 3 } },
  missing: { startError: 'exec: "missing": executable file not found in $PATH' },
  hungry: { outOfMemoryAfter: 10 },
};
const world = simulation(1);

/** Time passes by itself while one waits for a start. */
function hurried(runtime: Runtime): Runtime {
  return {
    ...runtime,
    async start(spec) {
      const started = runtime.start(spec);
      started.catch(() => undefined);
      await world.advance(100);
      return started;
    },
  };
}

runtimeCases({
  name: "simulated",
  make: () => hurried(simulatedRuntime({ ...world, behaviours: ({ command }) => behaviours[command[0] ?? ""] })),
  pass: (ms) => world.advance(ms),
  commands: { serve: ["serve"], stubborn: ["stubborn"], fails: ["fails"], missing: ["missing"], hungry: ["hungry"] },
});
