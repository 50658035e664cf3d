/** The last table, on disk, so that a data plane that starts anew serves before the API answers. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { type Table, tableFormat } from "./table.ts";

/** Undefined when there is none, or none that can be used: then the API's is waited for. */
export async function readTable(file: string): Promise<Table | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const table = JSON.parse(text) as Table;
    return table.format === tableFormat ? table : undefined;
  } catch {
    // Cut off by a crash; the next table replaces it.
    return undefined;
  }
}

/** Whole or not at all. */
export async function writeTable(file: string, table: Table): Promise<void> {
  const fresh = `${file}.new`;
  await writeFile(fresh, JSON.stringify(table), { mode: 0o600 });
  await rename(fresh, file);
}
