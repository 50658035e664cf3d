/**
 * The kinds of flotilla.dev/v1alpha1, in the form of the generated table. What a spec may say is checked by the model
 * (package app), which gives places and remedies; the table knows as much as merging and storing need.
 */
import type { Condition } from "./generated/types.ts";
import type { KubeObject, Resource } from "./resource.ts";
import type { FieldSchema, TypeTable } from "./schema.ts";
import { objectiveTypes, ServiceLevelObjectives } from "./service-level-objective.ts";

/** What one service runs now. Written by tools, never by hand. */
export interface AppVersion {
  image: string;
  /** The source's commit, where there is one. */
  commit?: string;
  /** Hash of every ConfigMap and Secret that the service reads. */
  configuration?: string;
}

export interface AppSpec {
  name?: string;
  /** Which of `environments` this is; "local" on a laptop. */
  environment?: string;
  team?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  routes?: unknown[];
  services?: Record<string, unknown>;
  backing?: Record<string, unknown>;
  jobs?: Record<string, unknown>;
  external?: Record<string, unknown>;
  secrets?: Record<string, unknown>;
  environments?: Record<string, unknown>;
  defaults?: unknown;
  objects?: unknown[];
  patches?: unknown[];
  /** By service. */
  versions?: Record<string, AppVersion>;
  /** What the model refers to by path, inlined: path to {text} or {base64}. */
  files?: Record<string, unknown>;
}

/** How far the making of a service's image has come; written by whoever makes it, so only on a laptop. */
export interface AppBuild {
  state: "building" | "built" | "failed" | "left out";
  /** Why it failed or was left out, and what to do. */
  message?: string;
}

export interface AppStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  /** By service. */
  services?: Record<string, unknown>;
  /** By service. */
  builds?: Record<string, AppBuild>;
}

export interface App extends KubeObject {
  spec: AppSpec;
  status?: AppStatus;
}

export const Apps: Resource<App> = {
  group: "flotilla.dev",
  version: "v1alpha1",
  kind: "App",
  plural: "apps",
  singular: "app",
  shortNames: [],
  categories: ["all"],
  namespaced: true,
  subresources: ["status"],
  type: "flotilla.dev/v1alpha1.App",
};

const records: FieldSchema = { type: { map: "json" } };

export const flotillaResources: readonly Resource[] = [Apps, ServiceLevelObjectives] as readonly Resource[];

export const flotillaTypes: TypeTable = {
  ...objectiveTypes,
  "flotilla.dev/v1alpha1.App": {
    fields: {
      kind: { type: "string" },
      apiVersion: { type: "string" },
      metadata: { type: { ref: "meta/v1.ObjectMeta" } },
      spec: { type: { ref: "flotilla.dev/v1alpha1.AppSpec" }, required: true },
      status: { type: { ref: "flotilla.dev/v1alpha1.AppStatus" } },
    },
  },
  "flotilla.dev/v1alpha1.AppSpec": {
    fields: {
      name: { type: "string" },
      environment: { type: "string" },
      team: { type: "string" },
      labels: { type: { map: "string" } },
      annotations: { type: { map: "string" } },
      routes: { type: { list: "json" }, listType: "atomic" },
      services: records,
      backing: records,
      jobs: records,
      external: records,
      secrets: records,
      environments: records,
      defaults: { type: "json" },
      objects: { type: { list: "json" }, listType: "atomic" },
      patches: { type: { list: "json" }, listType: "atomic" },
      versions: { type: { map: { ref: "flotilla.dev/v1alpha1.AppVersion" } } },
      files: records,
    },
  },
  "flotilla.dev/v1alpha1.AppVersion": {
    fields: {
      image: { type: "string", required: true },
      commit: { type: "string" },
      configuration: { type: "string" },
    },
  },
  "flotilla.dev/v1alpha1.AppStatus": {
    fields: {
      observedGeneration: { type: "int64" },
      conditions: {
        type: { list: { ref: "meta/v1.Condition" } },
        listType: "map",
        listMapKeys: ["type"],
        patchStrategy: "merge",
        patchMergeKey: "type",
      },
      services: records,
      builds: { type: { map: { ref: "flotilla.dev/v1alpha1.AppBuild" } } },
    },
  },
  "flotilla.dev/v1alpha1.AppBuild": {
    fields: {
      state: { type: "string", required: true, enum: ["building", "built", "failed", "left out"] },
      message: { type: "string" },
    },
  },
};
