/** `objects` may be OpenSLO documents: they become objectives like those of services. */
import type { ServiceLevelObjective } from "@flotilla/objects";
import { isOpenSlo, readOpenSlo } from "@flotilla/telemetry/objectives";
import type { Manifest, ReadManifests } from "./manifests.ts";

export interface OpenSloInFiles {
  readonly objectives: readonly { readonly file: string; readonly object: ServiceLevelObjective }[];
  readonly mistakes: ReadManifests["mistakes"];
}

/** They may refer to each other across files. */
export function openSloIn(manifests: readonly Manifest[]): OpenSloInFiles {
  const documents = manifests.filter(({ value }) => isOpenSlo(value));
  const { objectives, mistakes } = readOpenSlo(documents.map(({ value }) => value));
  const fileOf = (document: number) => documents[document]?.file ?? "";
  return {
    objectives: objectives.map(({ document, object }) => ({ file: fileOf(document), object })),
    mistakes: mistakes.map(({ document, path, message, remedy }) => ({
      file: fileOf(document),
      message: `${path}: ${message}`,
      remedy,
    })),
  };
}
