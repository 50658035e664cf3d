import { systemClock, systemRandom } from "@flotilla/ambient";
import { apiCases } from "../../client/src/api.cases.ts";
import { createControlPlane } from "./control-plane.ts";
import { memoryPersistence } from "./store/memory-persistence.ts";

apiCases(async () => {
  const plane = await createControlPlane({
    clock: systemClock,
    random: systemRandom,
    persistence: memoryPersistence(),
  });
  return { api: plane.api(), close: () => plane.close() };
});
