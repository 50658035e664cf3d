/** What the cases of the expansion share: an app of one service, and ways to look into what it becomes. */
import type { KubeObject } from "@flotilla/objects";
import { files } from "../example.fixture.ts";
import type { App } from "../model/model.ts";
import type { Service } from "../model/service.ts";
import type { ExpandOptions } from "./context.ts";
import { expand } from "./plan.ts";

export type Loose = KubeObject & {
  spec: Record<string, never>;
  data: Record<string, string>;
  [field: string]: unknown;
};

export const objects = (app: App, options: Partial<ExpandOptions> = {}) =>
  expand(app, { files, target: "cluster", ...options }) as Loose[];
export const one = (from: readonly Loose[], kind: string, name: string): Loose => {
  const found = from.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found)
    throw new Error(
      `no ${kind} ${name} among ${from.map((object) => `${object.kind} ${object.metadata.name}`).join(", ")}`,
    );
  return found;
};
export const names = (from: readonly Loose[], kind: string) =>
  from.flatMap((object) => (object.kind === kind ? [object.metadata.name] : []));

/** An app of one service named "web". */
export const web = (service: Partial<Service>, more: Partial<App> = {}, options: Partial<ExpandOptions> = {}) =>
  objects({ name: "shop", services: { web: { source: "./web", port: 3000, ...service } }, ...more }, options);
export const container = (from: readonly Loose[], kind = "Deployment", name = "web") =>
  (one(from, kind, name).spec as unknown as { template: { spec: { containers: Record<string, unknown>[] } } }).template
    .spec.containers[0];
export const pod = (from: readonly Loose[], kind = "Deployment", name = "web") =>
  (one(from, kind, name).spec as unknown as { template: { metadata: object; spec: object } }).template;

export const env = (from: readonly Loose[], kind?: string, name?: string) =>
  Object.fromEntries(
    ((container(from, kind, name)?.env ?? []) as { name: string; value?: string; valueFrom?: unknown }[]).map(
      (each) => [each.name, each.value ?? each.valueFrom],
    ),
  );
