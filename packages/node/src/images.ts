/** Where containers' files come from; adapted to package image (and others) where everything is composed. */
import type { Mount } from "./runtime.ts";

export interface ResolvedImage {
  /** "sha256:..." */
  readonly digest: string;
  /** The unpacked layers, as folders of this machine. */
  readonly mounts: readonly Mount[];
  readonly config: {
    readonly entrypoint?: readonly string[];
    readonly cmd?: readonly string[];
    /** "NAME=value" */
    readonly env?: readonly string[];
    readonly workingDir?: string;
    /** "uid", "uid:gid" */
    readonly user?: string;
  };
}

export interface Images {
  /** Rejects with an `ImageNotFound` when no image of that name can be had here. */
  resolve(reference: string): Promise<ResolvedImage>;
}

/** The message says what to do about it. */
export class ImageNotFound extends Error {
  override readonly name = "ImageNotFound";
}
