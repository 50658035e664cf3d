export { type AppObjectOptions, fromAppObject, toAppObject } from "./app-object.ts";
export { type CheckOptions, check, checked, nameOf } from "./check/check.ts";
export { formatMistake, type Mistake, ModelError } from "./check/mistake.ts";
export { appController, appControllers } from "./controller/app-controller.ts";
export { type GenerateSecret, generateSecret } from "./controller/generate-secret.ts";
export type { PartState, PartStatus } from "./controller/part-status.ts";
export { inEnvironment, local, namespaceOf } from "./environment.ts";
export { annotation, type ExpandOptions, type Target, type Version } from "./expand/context.ts";
export { expand, type Plan, plan, type Step } from "./expand/plan.ts";
export { type Files, knownFiles } from "./files.ts";
export { type JsonSchema, jsonSchema } from "./json-schema.ts";
export { fileNames, filesOf, findAppFile, LoadError, type Loaded, loadApp } from "./load.ts";
export { defineApp } from "./model/define-app.ts";
export type { AnyNames, App as AppModel, Environment, Names, ObjectPatch, Overlay } from "./model/model.ts";
export type { AlertReceiver, EnvironmentTelemetry, Metrics, Objectives } from "./model/objectives.ts";
export type { Backing, External, Job, Secret } from "./model/parts.ts";
export type { Route, RouteBackend } from "./model/route.ts";
export type { Service } from "./model/service.ts";
export { namespaceObject } from "./namespace.ts";
export { renderJson, renderYaml } from "./render.ts";
export {
  type RetentionSettings,
  type SecretHeaders,
  type TelemetrySettings,
  telemetrySettings,
} from "./telemetry-settings.ts";
