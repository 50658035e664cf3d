/**
 * The agent's part that knows sources: images, models, builds, edits. Loaded while the control plane starts, which needs none of
 * it and takes as long.
 */
import type { Api } from "@flotilla/client";
import { ImageStore } from "@flotilla/image";
import { buildHere } from "../build-here.ts";
import { clock } from "../compose.ts";
import { Developer } from "../develop.ts";
import { images } from "../images.ts";
import { sourcesOf } from "../model.ts";
import type { StateFolder } from "../state-folder.ts";
import { watchFolder } from "../watch-folder.ts";

export function sourcesIn(place: string, folder: StateFolder, api: Api) {
  const store = new ImageStore(folder.images);
  const developer = new Developer({
    api,
    clock,
    read: () => sourcesOf(place),
    build: (name, input, appName) =>
      buildHere(store, `${appName}-${name}`, input, (text) => console.error(`${name}: ${text}`)),
    watch: (changed) => watchFolder(place, changed),
    log: (text) => console.error(text),
  });
  return { developer, images: images(store, folder.compiled) };
}
