// The generated names: every kind's type, and a constant for each resource (`Pods`, `Deployments`, ...).

export { getCondition, isTrue, microTimeOf, setCondition, timeOf } from "./conditions.ts";
export { formatDuration, parseDuration } from "./duration.ts";
export { deepEqual } from "./equal.ts";
export {
  duplicate,
  type FieldError,
  type FieldErrorType,
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from "./field-errors.ts";
export { type FieldRequirement, formatFieldSelector, matchesFields, parseFieldSelector } from "./field-selector.ts";
export { type App, type AppSpec, type AppStatus, Apps, type AppVersion } from "./flotilla-kinds.ts";
export * from "./generated/resources.ts";
// The one name that is both a kind and its own plural.
export { Endpoints } from "./generated/resources.ts";
export type * from "./generated/types.ts";
export { contentHash, fnv1a, safeEncode, stableStringify } from "./hash.ts";
export {
  formatLabelSelector,
  hasLabels,
  type LabelOperator,
  type LabelRequirement,
  type LabelRequirements,
  type Labels,
  matchesRequirements,
  matchesSelector,
  parseLabelSelector,
  requirementsOf,
} from "./labels.ts";
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
export {
  configMapKey,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  envVarName,
  labelValue,
  portName,
  portNumber,
  qualifiedName,
  wildcardDns1123Subdomain,
} from "./names.ts";
export { openApiV3 } from "./openapi.ts";
export { schemaName } from "./openapi-schemas.ts";
export { controllerOf, isControlledBy, isDeleted, isOwnedBy, ownerReference } from "./owners.ts";
export { isActive, isAvailable, isReady, isSidecar, isTerminal, podRequests } from "./pods.ts";
export { decodeProtobuf, encodeProtobuf, isProtobuf } from "./protobuf.ts";
export {
  type Amount,
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  isQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
  subtractQuantities,
} from "./quantity.ts";
export { apiVersionOf, type KubeList, type KubeObject, type Resource, resourceName } from "./resource.ts";
export type { FieldSchema, Scalar, TypeRef, TypeSchema, TypeTable } from "./schema.ts";
export {
  alreadyExists,
  applyConflict,
  badRequest,
  conflict,
  expired,
  forbidden,
  generateNameConflict,
  gone,
  internalError,
  invalid,
  isAlreadyExists,
  isConflict,
  isExpired,
  isForbidden,
  isGone,
  isInvalid,
  isNotFound,
  isTooManyRequests,
  methodNotAllowed,
  notAcceptable,
  notFound,
  requestEntityTooLarge,
  StatusError,
  serviceUnavailable,
  statusErrorFrom,
  timeout,
  tooManyRequests,
  unauthorized,
  unsupportedMediaType,
} from "./status-error.ts";
export {
  prune,
  type Shape,
  shapeError,
  strictDecodingMessage,
  unknownFieldMessage,
  validateShape,
} from "./validate-shape.ts";
