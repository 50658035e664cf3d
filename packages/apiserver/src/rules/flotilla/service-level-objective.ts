/** ServiceLevelObjectives: what their texts must be. */
import { objectiveMistakes, type ServiceLevelObjective } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";

export const serviceLevelObjectives: KindRules<ServiceLevelObjective> = {
  validate: ({ spec }) => objectiveMistakes(spec ?? ({} as ServiceLevelObjective["spec"])),
};
