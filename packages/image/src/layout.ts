/** An OCI image layout on disk. Source: opencontainers/image-spec, image-layout.md and manifest.md. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Descriptor {
  readonly mediaType: string;
  /** "sha256:..." */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Index {
  readonly schemaVersion: 2;
  readonly manifests: readonly Descriptor[];
}

export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly config: {
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly Env?: readonly string[];
    readonly WorkingDir?: string;
    readonly User?: string;
  };
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly string[] };
}

export const mediaTypes = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;

/** The annotation by which an image in a layout is named. */
export const refName = "org.opencontainers.image.ref.name";

export const blobFile = (layout: string, digest: string): string => join(layout, "blobs", ...digest.split(":"));

export function openLayout(layout: string): void {
  mkdirSync(join(layout, "blobs", "sha256"), { recursive: true });
  const mark = join(layout, "oci-layout");
  if (!existsSync(mark)) writeFileSync(mark, JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}

/** The JSON as a blob and what refers to it. */
export function jsonBlob(mediaType: string, value: unknown): { content: Buffer; descriptor: Descriptor } {
  const content = Buffer.from(JSON.stringify(value));
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  return { content, descriptor: { mediaType, digest, size: content.length } };
}

export function writeJsonBlob(layout: string, mediaType: string, value: unknown): Descriptor {
  const { content, descriptor } = jsonBlob(mediaType, value);
  const file = blobFile(layout, descriptor.digest);
  if (!existsSync(file)) replaceFile(file, content);
  return descriptor;
}

export const readJsonBlob = <T>(layout: string, digest: string): T =>
  JSON.parse(readFileSync(blobFile(layout, digest), "utf8")) as T;

export function readIndex(layout: string): Index {
  const file = join(layout, "index.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { schemaVersion: 2, manifests: [] };
}

export const writeIndex = (layout: string, index: Index): void =>
  replaceFile(join(layout, "index.json"), JSON.stringify(index));

/** Written aside and renamed, so that a crash leaves the old or the new one. */
function replaceFile(file: string, content: string | Buffer): void {
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}
