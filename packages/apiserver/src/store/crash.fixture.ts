/** Writes objects for ever and says on stdout which are acknowledged; meant to be killed. */
import { systemClock } from "@flotilla/ambient";
import { sqlitePersistence } from "./sqlite-persistence.ts";
import { Store } from "./store.ts";

const store = new Store(sqlitePersistence(process.argv[2] as string), systemClock);
let next = Number(process.argv[3]);

async function write(): Promise<void> {
  for (;;) {
    const name = `o${next++}`;
    await store.transact((transaction) => {
      const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "n" } };
      transaction.put("configmaps", `n/${name}`, object);
      // One that comes and goes, so that deletions are under way too.
      if (transaction.get("configmaps", "n/guest")) transaction.remove("configmaps", "n/guest");
      else transaction.put("configmaps", "n/guest", { ...object, metadata: { name: "guest", namespace: "n" } });
    });
    process.stdout.write(`${name} ${store.revision}\n`);
  }
}

await Promise.all([write(), write(), write()]);
