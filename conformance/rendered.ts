/** The objects that `flotilla render` writes for the shop, by environment, each with the hash of its content. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";

const root = new URL("..", import.meta.url).pathname;

export interface Rendered {
  /** "production Deployment shop/orders" */
  readonly name: string;
  readonly hash: string;
  readonly object: { apiVersion: string; kind: string; metadata: { name: string; namespace?: string } };
}

export const environments = ["", "local", "staging", "production"];

export function rendered(environment: string): Rendered[] {
  const args = ["render", "examples/shop", "--output", "json", ...(environment ? ["--environment", environment] : [])];
  const out = execFileSync(process.execPath, ["packages/flotilla/bin/flotilla.mjs", ...args], {
    cwd: root,
    encoding: "utf8",
  });
  const { items } = JSON.parse(out) as { items: Rendered["object"][] };
  // What a cluster learns of by a CustomResourceDefinition of ours says nothing of the cluster.
  const native = items.filter(({ apiVersion }) => !apiVersion.startsWith("flotilla.dev/"));
  return native.map((object) => ({
    name: `${environment || "(none)"} ${object.kind} ${object.metadata.namespace}/${object.metadata.name}`,
    hash: createHash("sha256").update(JSON.stringify(object)).digest("hex").slice(0, 16),
    object,
  }));
}

/** What the API server said: "configured", "created", ..., and its warnings. */
export interface Verdict {
  readonly hash: string;
  readonly accepted: boolean;
  readonly said: string;
  readonly warnings: readonly string[];
}

export type Verdicts = Readonly<Record<string, Verdict>>;
