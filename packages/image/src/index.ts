export { type BuildOptions, type BuiltImage, buildImage } from "./build.ts";
export { BuildError, type Detected, detect, MissingProgram } from "./detect.ts";
export type { ImageConfig, Manifest } from "./layout.ts";
export { type SaveOptions, saveImage } from "./save.ts";
export { ImageNotFound, ImageStore, type ImageSummary, type ResolvedImage } from "./store.ts";
