/**
 * An image as one file that `docker load`, `podman load` and `ctr images import` read: an OCI archive, on a base image where one is
 * given, since what we build brings no operating system and no Node.js along.
 */
import { createReadStream, renameSync, rmSync } from "node:fs";
import { extract, type Pack } from "tar-stream";
import { blobFile, type ImageConfig, type Index, jsonBlob, type Manifest, mediaTypes, refName } from "./layout.ts";
import type { ImageStore } from "./store.ts";
import { putStream, writeTar } from "./tar-file.ts";

export interface SaveOptions {
  readonly store: ImageStore;
  readonly reference: string;
  /** The archive to write. */
  readonly file: string;
  /** What it is to be called where it is loaded: "registry.example/shop-orders:1". */
  readonly name: string;
  /** An OCI archive whose layers come first and whose environment is kept. */
  readonly base?: string;
}

export async function saveImage({ store, reference, file, name, base }: SaveOptions): Promise<void> {
  const { manifest, config } = store.inspect(reference);
  const below = base === undefined ? undefined : await readArchive(base);
  const whole: ImageConfig = {
    ...config,
    config: { ...config.config, Env: environment(below?.config.config.Env, config.config.Env) },
    rootfs: { type: "layers", diff_ids: [...(below?.config.rootfs.diff_ids ?? []), ...config.rootfs.diff_ids] },
  };
  const configBlob = jsonBlob(mediaTypes.config, whole);
  const layers = manifest.layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
  const manifestBlob = jsonBlob(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: configBlob.descriptor,
    layers: [...(below?.manifest.layers ?? []), ...layers],
  });
  const annotations = { "io.containerd.image.name": name, [refName]: name };

  try {
    await writeTar(`${file}.new`, async (tar) => {
      const put = (path: string, content: Buffer | string) =>
        tar.entry({ name: path, mode: 0o644, mtime: new Date(0) }, content);
      put("oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" }));
      for (const { descriptor, content } of [configBlob, manifestBlob]) put(archivePath(descriptor.digest), content);
      put("index.json", JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifestBlob.descriptor, annotations }] }));
      for (const { digest, size } of layers)
        await copy(tar, archivePath(digest), size, createReadStream(blobFile(store.layout, digest)));
      if (base === undefined || !below) return;
      const wanted = new Set(below.manifest.layers.map(({ digest }) => archivePath(digest)));
      for await (const entry of createReadStream(base).pipe(extract())) {
        if (wanted.has(entry.header.name)) await copy(tar, entry.header.name, entry.header.size ?? 0, entry);
        else entry.resume();
      }
    });
    renameSync(`${file}.new`, file);
  } catch (error) {
    rmSync(`${file}.new`, { force: true });
    throw error;
  }
}

const archivePath = (digest: string) => `blobs/${digest.replace(":", "/")}`;

const copy = (tar: Pack, name: string, size: number, from: AsyncIterable<unknown>): Promise<void> =>
  putStream(tar, { name, size, mode: 0o644, mtime: new Date(0) }, from);

/** The documents of the first image of an archive. */
async function readArchive(file: string): Promise<{ manifest: Manifest; config: ImageConfig }> {
  // Layers are large; documents are not, and may come in any order.
  const documents = new Map<string, string>();
  for await (const entry of createReadStream(file).pipe(extract())) {
    if ((entry.header.size ?? 0) > 2 ** 20) {
      entry.resume();
      continue;
    }
    let text = "";
    for await (const chunk of entry) text += chunk;
    documents.set(entry.header.name, text);
  }
  const document = <T>(name: string): T => {
    const text = documents.get(name);
    if (text === undefined) throw new Error(`${file} is no OCI archive: it has no ${name}`);
    return JSON.parse(text) as T;
  };
  const [first] = document<Index>("index.json").manifests;
  if (!first) throw new Error(`${file} holds no image`);
  const manifest = document<Manifest>(archivePath(first.digest));
  return { manifest, config: document<ImageConfig>(archivePath(manifest.config.digest)) };
}

/** Variables by name; ours win over the base's. */
function environment(base: readonly string[] = [], own: readonly string[] = []): string[] {
  const byName = new Map([...base, ...own].map((variable) => [variable.split("=", 1)[0], variable]));
  return [...byName.values()];
}
