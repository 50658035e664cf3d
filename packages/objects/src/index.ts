export { type App, type AppSpec, type AppStatus, Apps, type AppVersion } from "./flotilla-kinds.ts";
export * from "./generated/resources.ts";
// The one name that is both a kind and its own plural.
export { Endpoints } from "./generated/resources.ts";
export type * from "./generated/types.ts";
export {
  fieldAt,
  kindOf,
  newObject,
  parseApiVersion,
  resourceOf,
  resources,
  typeNamed,
  typeOf,
  typeTable,
} from "./lookup.ts";
export { apiVersionOf, type KubeList, type KubeObject, type Resource, resourceName } from "./resource.ts";
export type { FieldSchema, Scalar, TypeRef, TypeSchema, TypeTable } from "./schema.ts";
