/** What a developer waits for: a second start, and an edited line until it is served. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bodyOf } from "./load.ts";
import { median, pause, timed, until } from "./measure.ts";
import type { Shop } from "./shop.ts";
import { type Figure, ms } from "./table.ts";

const starts = 3;
const edits = 5;

/** State is there, images are built. */
export async function secondStart(shop: Shop): Promise<Figure[]> {
  await shop.up();
  const taken: number[] = [];
  for (let i = 0; i < starts; i++) {
    await shop.down();
    taken.push(await timed(shop.up));
  }
  return [{ what: "second start to all ready", ours: ms(median(taken)), aim: "3000 ms" }];
}

export async function edit(shop: Shop): Promise<Figure[]> {
  await shop.up();
  const file = join(shop.folder, "storefront", "public", "index.html");
  const page = readFileSync(file, "utf8");
  const url = `http://127.0.0.1:${shop.cluster.ports.gateway}/`;
  const taken: number[] = [];
  for (let i = 0; i < edits; i++) {
    const line = `<!-- edit ${i} -->`;
    const seen = async () => (await bodyOf(url)).includes(line);
    taken.push(
      await timed(async () => {
        writeFileSync(file, `${page}${line}\n`);
        await until("the edited page is served", seen);
      }),
    );
    // Until the pod that was replaced is gone.
    await pause(6000);
  }
  return [{ what: "edited line to served", ours: ms(median(taken)), aim: "1000 ms" }];
}
