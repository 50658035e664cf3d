/**
 * Images on this machine: an OCI layout, and beside it every layer unpacked, so that starting a container copies nothing.
 *
 *     images/
 *       oci-layout, index.json, blobs/   the layout
 *       unpacked/<digest>/               layers of sources, as folders
 *       dependencies/<key>/              what dependencies.ts installs
 *       layers.json                      which dependencies became which layer
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Layer } from "./layer.ts";
import {
  blobFile,
  type Descriptor,
  type ImageConfig,
  type Manifest,
  mediaTypes,
  openLayout,
  readIndex,
  readJsonBlob,
  refName,
  writeIndex,
  writeJsonBlob,
} from "./layout.ts";
import type { SourceEntry } from "./source-files.ts";

/** A layer and the folder that holds the same. */
export interface StoredLayer extends Layer {
  /** On this machine. */
  readonly source: string;
  /** In a container. */
  readonly target: string;
}

export interface ResolvedImage {
  readonly digest: string;
  readonly mounts: readonly { readonly source: string; readonly target: string; readonly readOnly: boolean }[];
  readonly config: {
    readonly entrypoint?: readonly string[];
    readonly cmd?: readonly string[];
    readonly env?: readonly string[];
    readonly workingDir?: string;
    readonly user?: string;
  };
}

export interface ImageSummary {
  readonly name: string;
  readonly digest: string;
}

export class ImageNotFound extends Error {
  override readonly name = "ImageNotFound";
}

/** Images of one name that are kept when newer ones come: enough to roll back to. */
const keptPerName = 10;

/** Annotations of a manifest's layers: where their content is unpacked and where it belongs. */
const sourceAnnotation = "dev.flotilla.layer.source";
const targetAnnotation = "dev.flotilla.layer.target";

export class ImageStore {
  readonly layout: string;
  /** Where installed dependencies are kept. */
  readonly dependencies: string;
  /** Layers that no image names yet: another image that is added meanwhile must not sweep them away. */
  readonly #unnamed = new Set<string>();

  constructor(folder: string) {
    this.layout = folder;
    this.dependencies = join(folder, "dependencies");
    openLayout(folder);
    // Pods run as other users; what is not to be seen by them lies elsewhere.
    chmodSync(folder, 0o755);
  }

  /** The layer that `key` (of dependencies) became, if it is still whole. */
  knownLayer(key: string): StoredLayer | undefined {
    const layer = this.#layers()[key];
    return layer && existsSync(blobFile(this.layout, layer.digest)) && existsSync(layer.source) ? layer : undefined;
  }

  rememberLayer(key: string, layer: StoredLayer): StoredLayer {
    const file = join(this.layout, "layers.json");
    writeFileSync(`${file}.new`, JSON.stringify({ ...this.#layers(), [key]: layer }));
    renameSync(`${file}.new`, file);
    return layer;
  }

  /** `write` gets a file of its own; what it wrote becomes a blob. */
  async writeLayer(write: (file: string) => Promise<Layer>): Promise<Layer> {
    const folder = mkdtempSync(join(this.layout, ".layer-"));
    try {
      const file = join(folder, "layer.tar");
      const layer = await write(file);
      if (!existsSync(blobFile(this.layout, layer.digest))) renameSync(file, blobFile(this.layout, layer.digest));
      this.#unnamed.add(layer.digest);
      return layer;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** The folder that holds the layer's entries, readable for everybody. */
  unpack(digest: string, entries: readonly SourceEntry[]): string {
    const folder = this.#unpacked(digest);
    if (existsSync(folder)) return folder;
    mkdirSync(join(this.layout, "unpacked"), { recursive: true });
    const work = mkdtempSync(join(this.layout, ".unpacking-"));
    try {
      chmodSync(work, 0o755);
      for (const entry of entries) {
        const path = join(work, entry.path);
        if (entry.type === "folder") mkdirSync(path, { recursive: true, mode: 0o755 });
        else if (entry.type === "link") symlinkSync(entry.target, path);
        else {
          copyFileSync(entry.file, path);
          chmodSync(path, entry.executable ? 0o755 : 0o644);
        }
      }
      renameSync(work, folder);
    } catch (error) {
      rmSync(work, { recursive: true, force: true });
      if (!existsSync(folder)) throw error;
    }
    return folder;
  }

  /** Names the image and returns its digest. The oldest of that name are forgotten. */
  add(
    name: string,
    image: Pick<ImageConfig, "os" | "architecture" | "config">,
    layers: readonly StoredLayer[],
  ): string {
    const config: ImageConfig = { ...image, rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) } };
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: writeJsonBlob(this.layout, mediaTypes.config, config),
      layers: layers.map(({ digest, size, target }) => ({
        mediaType: mediaTypes.layer,
        digest,
        size,
        annotations: { [targetAnnotation]: target },
      })),
    };
    const descriptor = writeJsonBlob(this.layout, mediaTypes.manifest, manifest);
    const sources = Object.fromEntries(layers.map(({ digest, source }) => [`${sourceAnnotation}/${digest}`, source]));
    const { manifests } = readIndex(this.layout);
    const others = manifests.filter(
      ({ digest, annotations }) => digest !== descriptor.digest || annotations?.[refName] !== name,
    );
    const ofName = others.filter(({ annotations }) => annotations?.[refName] === name);
    const forgotten = new Set(ofName.slice(0, Math.max(0, ofName.length - keptPerName + 1)));
    writeIndex(this.layout, {
      schemaVersion: 2,
      manifests: [
        ...others.filter((one) => !forgotten.has(one)),
        { ...descriptor, annotations: { [refName]: name, ...sources } },
      ],
    });
    for (const { digest } of layers) this.#unnamed.delete(digest);
    if (forgotten.size > 0) this.#collect();
    return descriptor.digest;
  }

  list(): ImageSummary[] {
    return readIndex(this.layout).manifests.map(({ digest, annotations }) => ({
      name: annotations?.[refName] ?? "",
      digest,
    }));
  }

  /** "localhost/shop-orders@sha256:..." Rejects with an ImageNotFound. */
  async resolve(reference: string): Promise<ResolvedImage> {
    const found = this.#find(reference);
    const manifest = readJsonBlob<Manifest>(this.layout, found.digest);
    const { config } = readJsonBlob<ImageConfig>(this.layout, manifest.config.digest);
    const mounts = manifest.layers.map(({ digest, annotations }) => {
      const source = found.annotations?.[`${sourceAnnotation}/${digest}`] ?? this.#unpacked(digest);
      if (!existsSync(source))
        throw new ImageNotFound(`${reference}: its files are gone from ${this.layout}; build it again`);
      return { source, target: annotations?.[targetAnnotation] ?? "/app", readOnly: true };
    });
    // A folder is mounted before what is mounted into it.
    mounts.sort((a, b) => a.target.length - b.target.length);
    return {
      digest: found.digest,
      mounts,
      config: {
        entrypoint: config.Entrypoint,
        cmd: config.Cmd,
        env: config.Env,
        workingDir: config.WorkingDir,
        user: config.User,
      },
    };
  }

  /** What the image is made of, as its documents say it. */
  inspect(reference: string): { manifest: Manifest; config: ImageConfig } {
    const manifest = readJsonBlob<Manifest>(this.layout, this.#find(reference).digest);
    return { manifest, config: readJsonBlob<ImageConfig>(this.layout, manifest.config.digest) };
  }

  #find(reference: string): Descriptor {
    const [name = "", digest] = reference.replace(/^localhost\//, "").split("@");
    const found = readIndex(this.layout).manifests.findLast(
      (one) => one.annotations?.[refName] === name && (digest === undefined || one.digest === digest),
    );
    if (!found || !existsSync(blobFile(this.layout, found.digest)))
      throw new ImageNotFound(`there is no image ${reference} in ${this.layout}`);
    return found;
  }

  #unpacked(digest: string): string {
    return join(this.layout, "unpacked", digest.replace(":", "-"));
  }

  #layers(): Record<string, StoredLayer> {
    const file = join(this.layout, "layers.json");
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  }

  /** Removes blobs and folders that no image refers to. Installed dependencies stay: they cost the most to make. */
  #collect(): void {
    const live = new Set<string>(this.#unnamed);
    for (const { digest } of readIndex(this.layout).manifests) {
      const manifest = readJsonBlob<Manifest>(this.layout, digest);
      for (const used of [digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)])
        live.add(used);
    }
    for (const { digest } of Object.values(this.#layers())) live.add(digest);
    for (const hex of readdirSync(join(this.layout, "blobs", "sha256")))
      if (!live.has(`sha256:${hex}`)) rmSync(join(this.layout, "blobs", "sha256", hex), { force: true });
    for (const folder of readdirSync(join(this.layout, "unpacked")))
      if (!live.has(folder.replace("-", ":")))
        rmSync(join(this.layout, "unpacked", folder), { recursive: true, force: true });
  }
}
