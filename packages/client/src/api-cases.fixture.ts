/** What the cases of every `Api` are written with. */
import {
  ConfigMaps,
  type Deployment,
  Deployments,
  newObject,
  type Pod,
  Pods,
  type Resource,
  StatusError,
} from "@flotilla/objects";
import { test } from "vitest";
import type { Api, WatchOptions } from "./api.ts";

export interface ApiUnderTest {
  readonly api: Api;
  close(): Promise<void>;
}

/** A test with an API of its own. */
export type Check = (name: string, run: (api: Api) => Promise<void>) => void;

export const checkWith =
  (make: () => Promise<ApiUnderTest>): Check =>
  (name, run) =>
    test(name, async () => {
      const { api, close } = await make();
      try {
        await run(api);
      } finally {
        await close();
      }
    });

export const createConfigMaps = (api: Api, ...names: string[]) =>
  Promise.all(names.map((name) => api.write({ verb: "create", resource: ConfigMaps, object: configMap(name) })));

export const namespace = "default";

export const configMap = (name: string, data: Record<string, string> = {}, labels?: Record<string, string>) =>
  newObject(ConfigMaps, { metadata: { name, namespace, ...(labels && { labels }) }, data });

export const pod = (name: string): Pod =>
  newObject(Pods, {
    metadata: { name, namespace },
    spec: { containers: [{ name: "main", image: "example/main:1" }], terminationGracePeriodSeconds: 20 },
  });

export const deployment = (name: string, replicas = 1): Deployment =>
  newObject(Deployments, {
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        // A template has no name; the type of metadata is that of whole objects.
        metadata: { labels: { app: name } } as never,
        spec: { containers: [{ name: "main", image: "example/main:1" }] },
      },
    },
  });

export const binding = (name: string, node: string): Pod =>
  ({ apiVersion: "v1", kind: "Binding", metadata: { name, namespace }, target: { kind: "Node", name: node } }) as never;

export async function refusal(promise: Promise<unknown>): Promise<StatusError> {
  const outcome = await promise.then(
    (value) => new Error(`not refused: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (outcome instanceof StatusError) return outcome;
  throw outcome;
}

/** The next `count` events, each as "TYPE name". */
export async function events(api: Api, resource: Resource, options: WatchOptions, count: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of api.watch(resource, options)) {
    seen.push(`${event.type} ${event.object.metadata.name ?? ""}`.trim());
    if (seen.length === count) break;
  }
  return seen;
}
