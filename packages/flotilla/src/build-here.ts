/** Builds the image of one service for this machine. */
import { buildImage, type ImageStore, MissingProgram } from "@flotilla/image";
import type { BuildInput, BuildResult } from "./develop.ts";

export async function buildHere(
  store: ImageStore,
  name: string,
  { source, command, args }: BuildInput,
  report: (text: string) => void,
): Promise<BuildResult> {
  try {
    const platform = `${process.platform}-${process.arch}`;
    const { reference } = await buildImage({ dir: source, name, store, platform, command, args, report });
    return { image: reference };
  } catch (error) {
    if (error instanceof MissingProgram) return { leftOut: error.message };
    throw error;
  }
}
